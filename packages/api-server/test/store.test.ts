import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { apiV2, create } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../src/store/database.ts';
import { createStores } from '../src/store/stores.ts';
import { machineA } from './support.ts';

async function inTemporaryDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-store-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('the database', () => {
  test('writes through to the disk, in a journal that readers can share', () =>
    inTemporaryDirectory(async (directory) => {
      using database = openDatabase(join(directory, 'api.sqlite'));
      expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
      expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
      expect(Number(database.get('PRAGMA busy_timeout')?.['timeout'])).toBeGreaterThan(0);
    }));

  test('stores all of a transaction or nothing', () =>
    inTemporaryDirectory(async (directory) => {
      using database = openDatabase(join(directory, 'api.sqlite'));
      const stores = createStores(database, new MockClock());
      const partition = create(apiV2.PartitionSchema, { id: 'lab' });
      expect(() =>
        database.transaction(() => {
          stores.partitions.put('lab', partition);
          stores.database.transaction(() => stores.partitions.put('lab2', partition));
          throw new Error('changed my mind');
        }),
      ).toThrow('changed my mind');
      expect(stores.partitions.list()).toEqual([]);
    }));

  test('of a newer program is left alone', () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'api.sqlite');
      openDatabase(path).close();
      const sqlite = new DatabaseSync(path);
      sqlite.exec('PRAGMA user_version = 99');
      sqlite.close();
      expect(() => openDatabase(path)).toThrow(/is of version 99.*start the newer program/);
    }));

  test('that is none is refused with what to do', () =>
    inTemporaryDirectory(async (directory) => {
      expect(() => openDatabase(directory)).toThrow(/cannot open the database .*check dataDir/);
    }));

  test('counts a generation for a change, and none for the same again', () =>
    inTemporaryDirectory(async (directory) => {
      using database = openDatabase(join(directory, 'api.sqlite'));
      const clock = new MockClock();
      const { partitions } = createStores(database, clock);
      const first = partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab' }));
      await clock.advance(1_000);
      expect(partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab' }))).toMatchObject({ generation: 1 });
      const changed = partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab', description: 'x' }));
      expect(changed).toMatchObject({ generation: 2, createdAt: first.createdAt, updatedAt: first.updatedAt + 1_000 });
    }));
});

describe('events', () => {
  test('keep the newest hundred of each machine', () =>
    inTemporaryDirectory(async (directory) => {
      using database = openDatabase(join(directory, 'api.sqlite'));
      const clock = new MockClock();
      const { events } = createStores(database, clock);
      for (let index = 0; index < 150; index += 1) {
        events.add(machineA, apiV2.MachineProvisioningEventType.PLANNED_REBOOT, `${index}`);
      }
      events.add('other', apiV2.MachineProvisioningEventType.PLANNED_REBOOT, '');
      const kept = events.recent(machineA).events.map((event) => event.message);
      expect(kept).toHaveLength(100);
      expect([kept[0], kept[99]]).toEqual(['149', '50']);
    }));
});

/** Starts a process that writes events one after the other and prints the number of each that it was promised. */
async function writeUntilKilled(directory: string, after: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('crash-writer.ts', import.meta.url)), join(directory, 'api.sqlite')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  let acknowledged = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === after) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
  return acknowledged;
}

describe('kill -9', () => {
  test('between acknowledged writes loses none of them', { timeout: 60_000 }, () =>
    inTemporaryDirectory(async (directory) => {
      for (const after of [0, 7, 40]) {
        const acknowledged = await writeUntilKilled(directory, after);
        using database = openDatabase(join(directory, 'api.sqlite'));
        const { partitions, events } = createStores(database, new MockClock());
        const written = Number(partitions.get('lab')?.value.description);
        // The write after the last promise may have been in time, too; the machine's events were in the same one.
        expect(written).toBeGreaterThanOrEqual(acknowledged);
        expect(events.recent(machineA).events[0]?.message).toBe(`${written}`);
        expect(database.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
      }
    }),
  );
});
