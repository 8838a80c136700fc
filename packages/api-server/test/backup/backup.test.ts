import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@ingot/net';
import { assert, asyncProperty, nat, sample, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BackupError, BackupErrorCode } from '../../src/errors.ts';
import { unsealed } from '../../src/backup/format.ts';
import { restoreBackup } from '../../src/backup/restore-backup.ts';
import { verifyBackup } from '../../src/backup/write-backup.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores } from '../../src/store/stores.ts';
import { backUp, dump, filled, inDirectory, key, sqliteIn } from './kit.ts';

async function code(work: Promise<unknown>): Promise<BackupErrorCode> {
  try {
    await work;
  } catch (error) {
    if (error instanceof BackupError) return error.code;
    throw error;
  }
  throw new Error('it was taken');
}

const restore = (file: string, directory: string, withKey?: Buffer) =>
  restoreBackup({ file, key: withKey, location: sqliteIn(directory, 'restored.sqlite'), clock: systemClock });

describe.each([
  ['without a key', undefined],
  ['with a key', key],
])('a backup %s', (_words, withKey) => {
  test('of a database in use brings all back, and is for its owner only', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      await using database = await filled(location, 1_500);
      const file = join(directory, 'one.backup');
      const report = await backUp(location, file, withKey);
      const before = await dump(location);
      await database.run("INSERT INTO secret (name, value) VALUES ('later', '')");
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(report.rows).toBe(before.trimEnd().split('\n').length - report.tables - 1);
      expect((await readFile(file)).includes('secret')).toBe(false);
      await restore(file, directory, withKey);
      const restored = sqliteIn(directory, 'restored.sqlite');
      expect(await dump(restored)).toBe(before);
      await using again = await openDatabase(restored, { clock: systemClock });
      const stores = createStores(again, systemClock);
      expect((await stores.waiting.all()).size).toBe(0);
      expect(await stores.machines.count({ partition: 'lab' })).toBe(1_500);
      await again.run("INSERT INTO event (machine, at, type, message) VALUES ('m', 1, 1, '')");
      expect(await again.get("SELECT sequence FROM event WHERE machine = 'm'")).toEqual({ sequence: 3 });
    }));

  test('is refused with any bit flipped, at any length, and with anything behind it', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      await (await filled(location)).close();
      const file = join(directory, 'one.backup');
      await backUp(location, file, withKey);
      const whole = await readFile(file);
      const refused = async (bytes: Buffer): Promise<boolean> => {
        try {
          const { content } = await unsealed(Readable.from([bytes]), withKey);
          await Array.fromAsync(content);
          return false;
        } catch (error) {
          if (error instanceof BackupError) return true;
          throw error;
        }
      };
      expect(await refused(whole)).toBe(false);
      for (let at = 0; at < whole.length; at += 1) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        if (!(await refused(bytes))) throw new Error(`bit ${at % 8} of byte ${at} makes no difference`);
      }
      await assert(
        asyncProperty(nat(whole.length - 1), (length) => refused(whole.subarray(0, length))),
        { numRuns: 50 },
      );
      expect(await refused(Buffer.concat([whole, Buffer.from([0])]))).toBe(true);
      const changed = join(directory, 'changed.backup');
      await writeFile(changed, whole.subarray(0, -1));
      expect(await code(restore(changed, directory, withKey))).toBe(BackupErrorCode.Damaged);
      expect(existsSync(join(directory, 'restored.sqlite'))).toBe(false);
    }));

  test('is refused with its parts in another order', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      const database = await openDatabase(location, { clock: systemClock });
      // What cannot be compressed makes several parts.
      const noise = sample(string({ minLength: 3_000, maxLength: 3_000, unit: 'binary-ascii' }), {
        numRuns: 100,
        seed: 1,
      });
      await database.transaction(async (session) => {
        for (const [n, text] of noise.entries()) {
          await session.run('INSERT INTO secret (name, value) VALUES (?, ?)', `${n}`, JSON.stringify(text));
        }
      });
      await database.close();
      const file = join(directory, 'one.backup');
      await backUp(location, file, withKey);
      const whole = await readFile(file);
      const parts: Buffer[] = [];
      const start = 12 + whole.readUInt32BE(8);
      for (let at = start; at < whole.length;) {
        const length = 4 + (whole.readUInt32BE(at) & 0x7fff_ffff);
        parts.push(whole.subarray(at, at + length));
        at += length;
      }
      expect(parts.length).toBeGreaterThan(2);
      const [first = Buffer.of(), second = Buffer.of(), ...rest] = parts;
      const header = whole.subarray(0, start);
      for (const order of [
        [second, first, ...rest],
        [first, ...rest],
        [first, first, second, ...rest],
      ]) {
        await writeFile(file, Buffer.concat([header, ...order]));
        expect(await code(verifyBackup(file, withKey))).toBe(BackupErrorCode.Damaged);
      }
    }));
});

test('a backup that is made while others write has one state of the database', () =>
  inDirectory(async (directory) => {
    const location = sqliteIn(directory);
    await using database = await filled(location, 1_500);
    let written = 0;
    const stop = new AbortController();
    const write = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await database.transaction(async (session) => {
          // Rows of the first and of the last table that is read, and new ones in between.
          for (const name of ['bmc_command', 'waiting_for'])
            await session.run(
              'INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
              name,
              `${written}`,
            );
          await session.run(
            `INSERT INTO bmc_command (id, machine, partition, command, created_at) VALUES ('${written}', 'm', 'lab', 1, 1)`,
          );
        });
        written += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const writing = write();
    // A write waits for the disk: where that is slow there is more to back up, until some fall into it.
    let during = 0;
    let file = '';
    for (let attempt = 0; attempt < 20; attempt += 1) {
      file = join(directory, `${attempt}.backup`);
      const before = written;
      await backUp(location, file, key);
      during = written - before;
      if (during >= 2) break;
      await database.run(
        `INSERT INTO secret (name, value)
         WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
         SELECT 'filler ${attempt} ' || n, 'x' FROM number`,
      );
    }
    stop.abort();
    await writing;
    expect(during).toBeGreaterThan(1);
    await restore(file, directory, key);
    const sqlite = new DatabaseSync(join(directory, 'restored.sqlite'));
    const values = sqlite.prepare("SELECT value FROM secret WHERE name IN ('bmc_command', 'waiting_for')").all();
    const commands = sqlite
      .prepare('SELECT count(*) AS found, max(CAST(id AS INTEGER)) AS last FROM bmc_command')
      .get();
    sqlite.close();
    const last = Number(values[0]?.['value'] ?? -1);
    expect(values.map(({ value }) => Number(value))).toEqual(last < 0 ? [] : [last, last]);
    expect(commands).toEqual({ found: last + 1, last: last < 0 ? null : last });
  }));

describe('a restore', () => {
  test('needs the right key, and says so', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      await (await filled(location)).close();
      const [plain, secret] = [join(directory, 'plain'), join(directory, 'secret')];
      await backUp(location, plain);
      await backUp(location, secret, key);
      expect(await code(restore(secret, directory))).toBe(BackupErrorCode.Key);
      expect(await code(restore(plain, directory, key))).toBe(BackupErrorCode.Key);
      await expect(restore(secret, directory, Buffer.alloc(32, 8))).rejects.toThrow('or the key is another');
    }));

  test('goes into an empty place only', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      await (await filled(location)).close();
      const file = join(directory, 'one.backup');
      await backUp(location, file);
      await copyFile(join(directory, 'api.sqlite'), join(directory, 'restored.sqlite'));
      const before = await dump(location);
      await expect(restore(file, directory)).rejects.toThrow(/there is a file .*restored.sqlite: move it away/);
      expect(await dump(sqliteIn(directory, 'restored.sqlite'))).toBe(before);
      expect(await code(backUp(location, file))).toBe(BackupErrorCode.NotEmpty);
      expect((await verifyBackup(file, undefined)).rows).toBeGreaterThan(0);
    }));

  test('brings a backup of an earlier version up to date, and refuses one of a later', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      const old = await openDatabase(location, { clock: systemClock, upToVersion: 1 });
      await old.run("INSERT INTO secret (name, value) VALUES ('kept', 'x')");
      await old.close();
      const file = join(directory, 'one.backup');
      expect((await backUp(location, file)).header.schema).toBe(1);
      await restore(file, directory);
      const sqlite = new DatabaseSync(join(directory, 'restored.sqlite'));
      expect(sqlite.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length });
      expect(sqlite.prepare('SELECT name FROM secret').all()).toEqual([{ name: 'kept' }]);
      sqlite.exec('PRAGMA user_version = 99');
      sqlite.close();
      expect(await code(backUp(sqliteIn(directory, 'restored.sqlite'), join(directory, 'two')))).toBe(
        BackupErrorCode.TooNew,
      );
      expect(existsSync(join(directory, 'two'))).toBe(false);
    }));

  test('of what is no backup, or not there, is refused in words', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'text');
      await writeFile(file, 'hello');
      await expect(restore(file, directory)).rejects.toThrow('it is no backup of Ingot');
      expect(await code(restore(join(directory, 'nothing'), directory))).toBe(BackupErrorCode.Place);
      expect(await code(backUp(sqliteIn(directory, 'nothing'), file))).toBe(BackupErrorCode.Place);
    }));
});
