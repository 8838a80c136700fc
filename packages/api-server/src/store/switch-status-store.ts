import { apiV2, create, toJsonString } from '@ingot/api';
import { readBody } from './body.ts';
import type { Sql } from './database.ts';
import { text } from './row.ts';
import { sqlList } from './sql-list.ts';

/**
 * What heartbeats have reported of a switch: last synchronisations and, in `nics`, the actual state and the BGP session
 * of each port. Kept as a `Switch` with only these fields set.
 */
export interface SwitchStatusStore {
  get(id: string): Promise<apiV2.Switch>;
  /** Of those of these switches that have reported, by ID. */
  ofMany(ids: readonly string[]): Promise<Map<string, apiV2.Switch>>;
  put(id: string, status: apiV2.Switch): Promise<void>;
  delete(id: string): Promise<void>;
}

export function createSwitchStatusStore(session: Sql): SwitchStatusStore {
  const parse = (body: string): apiV2.Switch => readBody(apiV2.SwitchSchema, body);
  return {
    async get(id) {
      const row = await session.get('SELECT body FROM switch_status WHERE id = ?', id);
      if (row === undefined) return create(apiV2.SwitchSchema);
      return parse(text(row, 'body'));
    },
    async ofMany(ids) {
      const { marks, values } = sqlList(ids);
      const rows = await session.all(`SELECT id, body FROM switch_status WHERE id IN (${marks})`, ...values);
      return new Map(rows.map((row) => [text(row, 'id'), parse(text(row, 'body'))]));
    },
    async put(id, status) {
      await session.run(
        'INSERT INTO switch_status (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
        id,
        toJsonString(apiV2.SwitchSchema, status),
      );
    },
    async delete(id) {
      await session.run('DELETE FROM switch_status WHERE id = ?', id);
    },
  };
}
