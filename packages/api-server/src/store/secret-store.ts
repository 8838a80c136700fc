import type { Sql } from './database.ts';
import { text } from './row.ts';

/** Keys and the like that servers on one database share, by name. */
export interface SecretStore {
  get(name: string): Promise<string | undefined>;
  /** Stores it unless there is one; answers the one that is there. */
  offer(name: string, value: string): Promise<string>;
  put(name: string, value: string): Promise<void>;
}

export function createSecretStore(session: Sql): SecretStore {
  const get = async (name: string): Promise<string | undefined> => {
    const row = await session.get('SELECT value FROM secret WHERE name = ?', name);
    return row === undefined ? undefined : text(row, 'value');
  };
  return {
    get,
    async offer(name, value) {
      await session.run('INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value);
      return (await get(name)) ?? value;
    },
    async put(name, value) {
      await session.run(
        'INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        name,
        value,
      );
    },
  };
}
