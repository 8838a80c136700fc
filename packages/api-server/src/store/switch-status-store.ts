import { apiV2, create, fromJsonString, toJsonString } from '@ingot/api';
import type { Database } from './database.ts';
import { text } from './row.ts';

/**
 * What heartbeats have reported of a switch: last synchronisations and, in `nics`, the actual state and the BGP session
 * of each port. Kept as a `Switch` with only these fields set.
 */
export interface SwitchStatusStore {
  get(id: string): apiV2.Switch;
  put(id: string, status: apiV2.Switch): void;
}

export function createSwitchStatusStore(database: Database): SwitchStatusStore {
  return {
    get(id) {
      const row = database.get('SELECT body FROM switch_status WHERE id = ?', id);
      if (row === undefined) return create(apiV2.SwitchSchema);
      return fromJsonString(apiV2.SwitchSchema, text(row, 'body'), { ignoreUnknownFields: true });
    },
    put(id, status) {
      database.run(
        'INSERT INTO switch_status (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
        id,
        toJsonString(apiV2.SwitchSchema, status),
      );
    },
  };
}
