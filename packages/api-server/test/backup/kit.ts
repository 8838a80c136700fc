import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, create } from '@ingot/api';
import { systemClock, systemEntropy } from '@ingot/net';
import { exportRows } from '../../src/backup/rows.ts';
import { withSource } from '../../src/backup/source.ts';
import { tablesOf } from '../../src/backup/tables.ts';
import { writeBackup } from '../../src/backup/write-backup.ts';
import type { Database } from '../../src/store/database.ts';
import type { DatabaseLocation } from '../../src/store/location.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores } from '../../src/store/stores.ts';

export const key: Buffer = Buffer.alloc(32, 7);

/** Runs `work` with a directory that is removed behind it. */
export async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-backup-test-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

export const sqliteIn = (directory: string, name = 'api.sqlite'): DatabaseLocation => ({
  dialect: 'sqlite',
  path: join(directory, name),
});

/** Opens a database and puts something of every kind into it. */
export async function filled(location: DatabaseLocation, machines = 3): Promise<Database> {
  const database = await openDatabase(location, { clock: systemClock });
  const stores = createStores(database, systemClock);
  await stores.transaction(async (inner) => {
    for (let n = 0; n < machines; n += 1) {
      const uuid = `machine-${n}`;
      await inner.machines.put(
        uuid,
        create(apiV2.MachineSchema, { uuid, partition: { id: 'lab' }, rack: 'räck\n"1"' }),
      );
      await inner.bmcs.put(uuid, create(apiV2.MachineBMCReportSchema, { uuid, bmc: { password: 'secret' } }));
    }
    await inner.events.add('machine-0', apiV2.MachineProvisioningEventType.CRASHED, 'it broke');
    await inner.events.add('machine-1', apiV2.MachineProvisioningEventType.PXE_BOOTING, '');
    await inner.session.run("INSERT INTO secret (name, value) VALUES ('signing', 'key')");
    await inner.waiting.enter('machine-0', 'seat');
  });
  return database;
}

/** All that a backup takes of a database, as text. */
export function dump(location: DatabaseLocation): Promise<string> {
  return withSource(location, async ({ sql, dialect }) =>
    (await Array.fromAsync(exportRows(sql, await tablesOf(sql, dialect)))).join(''),
  );
}

export function backUp(location: DatabaseLocation, file: string, withKey?: Buffer): ReturnType<typeof writeBackup> {
  return writeBackup({ location, file, key: withKey, clock: systemClock, entropy: systemEntropy });
}
