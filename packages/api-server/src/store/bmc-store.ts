import { apiV2, toJsonString } from '@ingot/api';
import { readBody } from './body.ts';
import type { Sql } from './database.ts';
import { text } from './row.ts';
import { sqlList } from './sql-list.ts';
import { turns } from './turns.ts';

/** What is known about the management controller of a machine, its password included. */
export interface BmcStore {
  get(machine: string): Promise<apiV2.MachineBMCReport | undefined>;
  /** Those of many machines, by machine; nothing for a machine whose BMC nobody has told of. */
  getMany(machines: readonly string[]): Promise<Map<string, apiV2.MachineBMCReport>>;
  put(machine: string, report: apiV2.MachineBMCReport): Promise<void>;
  delete(machine: string): Promise<void>;
}

export function createBmcStore(session: Sql): BmcStore {
  return {
    async get(machine) {
      const row = await session.get('SELECT body FROM machine_bmc WHERE id = ?', machine);
      if (row === undefined) return undefined;
      return readBody(apiV2.MachineBMCReportSchema, text(row, 'body'));
    },
    async getMany(machines) {
      const found = new Map<string, apiV2.MachineBMCReport>();
      for await (const part of turns(machines)) {
        const { marks, values } = sqlList(part);
        const rows = await session.all(`SELECT id, body FROM machine_bmc WHERE id IN (${marks})`, ...values);
        for (const row of rows) found.set(text(row, 'id'), readBody(apiV2.MachineBMCReportSchema, text(row, 'body')));
      }
      return found;
    },
    async put(machine, report) {
      await session.run(
        'INSERT INTO machine_bmc (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
        machine,
        toJsonString(apiV2.MachineBMCReportSchema, report),
      );
    },
    async delete(machine) {
      await session.run('DELETE FROM machine_bmc WHERE id = ?', machine);
    },
  };
}
