import type { Session } from './database.ts';
import { text } from './row.ts';

/** Wipe orders that wait for a machine to come back: its record is gone, and what is on its disks may not be. */
export interface OwedWipeStore {
  put(machine: string, order: string): Promise<void>;
  /** The order of a machine that has come back; it is its record's from now on. */
  take(machine: string): Promise<string | undefined>;
}

export function createOwedWipeStore(session: Session): OwedWipeStore {
  return {
    async put(machine, order) {
      await session.run(
        'INSERT INTO owed_wipe (machine, wipe) VALUES (?, ?) ON CONFLICT (machine) DO UPDATE SET wipe = excluded.wipe',
        machine,
        order,
      );
    },
    take: (machine) =>
      session.transaction(async (inner) => {
        const row = await inner.get('SELECT wipe FROM owed_wipe WHERE machine = ?', machine);
        if (row === undefined) return undefined;
        await inner.run('DELETE FROM owed_wipe WHERE machine = ?', machine);
        return text(row, 'wipe');
      }),
  };
}
