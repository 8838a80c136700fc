import type { Session } from './database.ts';
import { text } from './row.ts';

/** Passwords of the consoles of installed machines, apart from all that is listed. */
export interface ConsolePasswordStore {
  get(machine: string): Promise<string | undefined>;
  put(machine: string, password: string): Promise<void>;
  delete(machine: string): Promise<void>;
}

export function createConsolePasswordStore(session: Session): ConsolePasswordStore {
  const nameOf = (machine: string): string => `console-password/${machine}`;
  return {
    async get(machine) {
      const row = await session.get('SELECT value FROM secret WHERE name = ?', nameOf(machine));
      return row === undefined ? undefined : text(row, 'value');
    },
    async put(machine, password) {
      await session.run(
        'INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        nameOf(machine),
        password,
      );
    },
    async delete(machine) {
      await session.run('DELETE FROM secret WHERE name = ?', nameOf(machine));
    },
  };
}
