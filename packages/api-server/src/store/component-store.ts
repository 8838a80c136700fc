import { apiV2, toJsonString } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { readBody } from './body.ts';
import type { Sql } from './database.ts';
import { text } from './row.ts';

/** Agents that have pinged within the last day. One per type and identifier. */
export interface ComponentStore {
  find(type: apiV2.ComponentType, identifier: string): Promise<apiV2.Component | undefined>;
  /** Ordered by type, then identifier. */
  list(): Promise<apiV2.Component[]>;
  put(component: apiV2.Component): Promise<void>;
  /** False if there was none. */
  delete(uuid: string): Promise<boolean>;
  /** Forgets those that have not pinged for a day. */
  sweep(): Promise<void>;
}

const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000;

export function createComponentStore(session: Sql, clock: Clock): ComponentStore {
  const parse = (body: string): apiV2.Component => readBody(apiV2.ComponentSchema, body);
  const oldest = (): number => clock.now() - FORGOTTEN_AFTER_MS;
  return {
    async find(type, identifier) {
      const row = await session.get('SELECT body FROM component WHERE type = ? AND identifier = ?', type, identifier);
      return row === undefined ? undefined : parse(text(row, 'body'));
    },
    async list() {
      const rows = await session.all(
        'SELECT body FROM component WHERE reported_at > ? ORDER BY type, identifier',
        oldest(),
      );
      return rows.map((row) => parse(text(row, 'body')));
    },
    async put(component) {
      await session.run(
        `INSERT INTO component (id, type, identifier, reported_at, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (type, identifier) DO UPDATE SET reported_at = excluded.reported_at, body = excluded.body`,
        component.uuid,
        component.type,
        component.identifier,
        clock.now(),
        toJsonString(apiV2.ComponentSchema, component),
      );
    },
    delete: async (uuid) => (await session.run('DELETE FROM component WHERE id = ?', uuid)) > 0,
    async sweep() {
      await session.run('DELETE FROM component WHERE reported_at <= ?', oldest());
    },
  };
}
