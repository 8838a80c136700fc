import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryLogger } from '@ingot/daemon';
import { type Clock, MockClock, systemClock, systemEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { createBackupJob } from '../../src/backup/backup-job.ts';
import { backupName, backupTime } from '../../src/backup/backup-name.ts';
import { readBackupKey } from '../../src/backup/key.ts';
import { keepBackup, type KeptBackup } from '../../src/backup/keep-backups.ts';
import { openBackupTarget, type BackupTarget } from '../../src/backup/target.ts';
import { decryptSidecarFile } from '../../src/backup/ctr.ts';
import { verifyBackup } from '../../src/backup/write-backup.ts';
import { filled, inDirectory, key, sqliteIn } from './kit.ts';
import { accessKeyId, region, type S3StandIn, secretAccessKey, startS3 } from './s3-stand-in.ts';

/** The least that a store takes, but for the last part. */
const PART_BYTES = 5 * 2 ** 20;

/** Four backups, an hour apart, of which two are to be kept. */
async function four(target: BackupTarget, directory: string): Promise<readonly KeptBackup[]> {
  const location = sqliteIn(directory);
  await (await filled(location)).close();
  const clock = new MockClock();
  const made: KeptBackup[] = [];
  for (let hour = 0; hour < 4; hour += 1) {
    made.push(await keepBackup({ location, target, key, keep: 2, clock, entropy: systemEntropy }));
    await clock.advance(3_600_000);
  }
  return made;
}

const names = (hours: readonly number[]): string[] => hours.map((hour) => `ingot-20260101T0${hour}0000000Z.backup`);

describe('backups in a directory', () => {
  test('are kept to a number, the newest; other files are left alone', () =>
    inDirectory(async (directory) => {
      const place = join(directory, 'backups');
      await mkdir(place);
      await writeFile(join(place, 'notes.backup'), '');
      const target = openBackupTarget(place, undefined);
      const made = await four(target, directory);
      expect(made.map(({ name }) => name)).toEqual(names([0, 1, 2, 3]));
      expect(made.flatMap(({ removed }) => removed)).toEqual(names([0, 1]));
      expect((await readdir(place)).toSorted()).toEqual([...names([2, 3]), 'notes.backup']);
      const copy = join(directory, 'copy');
      await target.get(names([3])[0] ?? '', copy);
      expect((await verifyBackup(copy, key)).rows).toBe(made[3]?.report.rows);
    }));

  test('are not removed when the new one fails', () =>
    inDirectory(async (directory) => {
      const target = openBackupTarget(join(directory, 'backups'), undefined);
      await four(target, directory);
      const location = sqliteIn(directory, 'nothing');
      const clock = new MockClock({ nowMs: Date.UTC(2027, 0) });
      await expect(keepBackup({ location, target, key, keep: 1, clock, entropy: systemEntropy })).rejects.toThrow(
        'cannot read the database',
      );
      expect(await readdir(join(directory, 'backups'))).toEqual(names([2, 3]));
    }));
});

describe('the periodic backup', () => {
  const noLog = new MemoryLogger();
  test('is made when the newest is old enough, and is kept, whatever a wrong clock has left', () =>
    inDirectory(async (directory) => {
      const location = sqliteIn(directory);
      await (await filled(location)).close();
      const place = join(directory, 'backups');
      await mkdir(place);
      // Made when the clock was years ahead.
      const future = [2031, 2032, 2033].map((year) => `ingot-${year}0101T000000000Z.backup`);
      for (const name of future) await writeFile(join(place, name), '');
      const keyFile = join(directory, 'key');
      await writeFile(keyFile, key.toString('hex'), { mode: 0o600 });
      const clock = new MockClock();
      const { job, newestAt } = await createBackupJob({
        settings: { to: place, everyMinutes: 60, keep: 2, keyFile },
        location,
        clock,
        entropy: systemEntropy,
        log: noLog,
        redactor: { add: () => {} },
      });
      const made: unknown[] = [];
      for (let tick = 0; tick < 9; tick += 1) {
        made.push((await job.run(new AbortController().signal))?.['name']);
        await clock.advance(20 * 60_000);
      }
      const [first, second, third] = names([0, 1, 2]);
      expect(made).toEqual([first, undefined, undefined, second, undefined, undefined, third, undefined, undefined]);
      expect((await readdir(place)).toSorted()).toEqual([...names([1, 2]), ...future]);
      expect(newestAt()).toBe(backupTime(third ?? ''));
      const copy = join(directory, 'copy');
      await openBackupTarget(place, undefined).get(third ?? '', copy);
      expect((await verifyBackup(copy, key)).rows).toBeGreaterThan(0);
    }));
});

/** Waits for nothing. */
const hasty: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() };

describe('backups in S3', () => {
  const s3 = (endpoint: string, secret = secretAccessKey) => ({
    endpoint,
    region,
    accessKeyId,
    secretAccessKey: secret,
  });

  test('are signed, listed page by page, fetched and removed', () =>
    inDirectory(async (directory) => {
      await using store = await startS3();
      store.objects.set('/racks/berlin/1 & 2/notes', Buffer.from('x'));
      store.objects.set('/racks/berlin/other/ingot-20200101T000000000Z.backup', Buffer.from('x'));
      const target = openBackupTarget('s3://racks/berlin/1 & 2/', s3(store.endpoint));
      const made = await four(target, directory);
      expect(store.refused).toEqual([]);
      expect(made.flatMap(({ removed }) => removed)).toEqual(names([0, 1]));
      expect(await target.list()).toEqual(names([2, 3]));
      expect([...store.objects.keys()]).toHaveLength(4);
      const copy = join(directory, 'copy');
      await target.get(names([2])[0] ?? '', copy);
      expect((await verifyBackup(copy, key)).header.createdAt).toBe('2026-01-01T02:00:00.000Z');
    }));

  test('with a wrong key, or out of reach, fail with what the store says', () =>
    inDirectory(async (directory) => {
      await using store = await startS3();
      await expect(four(openBackupTarget('s3://racks', s3(store.endpoint, 'guess')), directory)).rejects.toThrow(
        /s3:\/\/racks\/ answers 403 to PUT: signature/,
      );
      expect(store.objects.size).toBe(0);
      await expect(openBackupTarget('s3://racks', s3('http://127.0.0.1:1'), hasty).list()).rejects.toThrow(
        'cannot reach s3://racks/',
      );
    }));

  /** A file of two parts and a bit, and a place that takes them. */
  const withLarge = (
    work: (file: string, target: BackupTarget, store: S3StandIn, content: Buffer, directory: string) => Promise<void>,
  ): Promise<void> =>
    inDirectory(async (directory) => {
      await using store = await startS3();
      const file = join(directory, 'large');
      const content = randomBytes(2 * PART_BYTES + 12_345);
      await writeFile(file, content);
      const options = { ...s3(store.endpoint), partBytes: PART_BYTES };
      await work(file, openBackupTarget('s3://racks/berlin 1', options, hasty), store, content, directory);
    });
  const stored = (store: S3StandIn): Buffer | undefined => store.objects.get('/racks/berlin 1/large');

  test('are sent in parts when they are large, and fetched again', () =>
    withLarge(async (file, target, store, content, directory) => {
      await target.put(file, 'large');
      expect(store.refused).toEqual([]);
      expect(store.requests.map((request) => request.replace(/uploadId=[^&]*/, 'uploadId'))).toEqual([
        'POST ?uploads=',
        'PUT ?partNumber=1&uploadId',
        'PUT ?partNumber=2&uploadId',
        'PUT ?partNumber=3&uploadId',
        'POST ?uploadId',
        'HEAD ',
      ]);
      expect(stored(store)?.equals(content)).toBe(true);
      expect(store.uploads.size).toBe(0);
      expect(existsSync(file)).toBe(false);
      const copy = join(directory, 'copy');
      await target.get('large', copy);
      expect((await readFile(copy)).equals(content)).toBe(true);
    }));

  test.each([
    ['a part whose connection breaks', 'PUT ?partNumber=2', 'drop'],
    ['a part whose answer is lost', 'PUT ?partNumber=3', 'forget'],
    ['a part that the store fails at', 'PUT ?partNumber=1', 'fail'],
    ['a beginning that the store fails at', 'POST ?uploads', 'fail'],
    ['an end that fails after it was said to be fine', 'POST ?uploadId', 'late'],
    ['an end whose answer is lost', 'POST ?uploadId', 'forget'],
  ] as const)('are there in spite of %s', (_name, prefix, misdeed) =>
    withLarge(async (file, target, store, content) => {
      let left = 2;
      store.misbehave = (request) => {
        if (!request.startsWith(prefix) || left === 0) return undefined;
        left -= 1;
        return misdeed;
      };
      await target.put(file, 'large');
      expect(left).toBe(0);
      expect(stored(store)?.equals(content)).toBe(true);
      // What was sent twice is not sent a third time.
      expect(store.requests.filter((request) => request.startsWith('PUT')).length).toBeLessThanOrEqual(5);
    }),
  );

  test.each([
    ['a part', 'PUT ?partNumber=2', 'fail', 'answers 500 to PUT: InternalError'],
    ['the end', 'POST ?uploadId', 'late', 'cannot put the parts together: We encountered an internal error.'],
  ] as const)(
    'leave nothing behind when %s fails again and again, nor lose the file',
    (_name, prefix, misdeed, words) =>
      withLarge(async (file, target, store) => {
        store.misbehave = (request) => (request.startsWith(prefix) ? misdeed : undefined);
        await expect(target.put(file, 'large')).rejects.toThrow(words);
        expect(store.requests.filter((request) => request.startsWith(prefix))).toHaveLength(4);
        expect([store.objects.size, store.uploads.size]).toEqual([0, 0]);
        expect(existsSync(file)).toBe(true);
      }),
  );

  test('leave nothing behind when they are stopped', () =>
    withLarge(async (file, target, store) => {
      const stop = new AbortController();
      store.misbehave = (request) => {
        if (request.startsWith('PUT ?partNumber=2')) stop.abort();
        return undefined;
      };
      await expect(target.put(file, 'large', stop.signal)).rejects.toThrow('aborted');
      expect([store.objects.size, store.uploads.size]).toEqual([0, 0]);
    }));

  test('go on where a copy from there broke off', () =>
    withLarge(async (file, target, store, content, directory) => {
      await target.put(file, 'large');
      store.requests.length = 0;
      let bytes = 1_000_000;
      // More often than anything is tried again without getting on.
      store.misbehave = (request) => (request.startsWith('GET') && store.requests.length <= 8 ? bytes++ : undefined);
      const copy = join(directory, 'copy');
      await target.get('large', copy);
      expect((await readFile(copy)).equals(content)).toBe(true);
      expect(store.requests.length).toBeGreaterThan(8);
      store.misbehave = () => 0;
      await expect(target.get('large', `${copy}2`)).rejects.toThrow(/broke off|cannot reach/);
    }));

  test('are not put together of two that had one name', () =>
    withLarge(async (file, target, store, content, directory) => {
      await target.put(file, 'large');
      store.misbehave = (request) => {
        if (!request.startsWith('GET')) return undefined;
        store.objects.set('/racks/berlin 1/large', randomBytes(content.length));
        return store.requests.length > 7 ? undefined : 1_000_000;
      };
      await expect(target.get('large', join(directory, 'copy'))).rejects.toThrow(
        'answers 412 to GET: PreconditionFailed',
      );
    }));

  test('that lists for ever is left', async () => {
    await using store = await startS3();
    store.isEndless = true;
    const target = openBackupTarget('s3://bucket/lab', s3(store.endpoint));
    await expect(target.list()).rejects.toThrow('lists without an end');
  });

  test.each(['backups', 's3://', 's3://UPPER/x', 'ftp://host/x'])('and not in %s', (text) => {
    expect(() => openBackupTarget(text, s3('http://x'))).toThrow('is no place for backups');
  });
});

describe('the name of a backup', () => {
  test('says when it was made', () => {
    const now = Date.UTC(2026, 10, 21, 12, 34, 56, 789);
    expect(backupName(now)).toBe('ingot-20261121T123456789Z.backup');
    expect(backupTime(backupName(now))).toBe(now);
    expect([backupTime('ingot-20261399T123456789Z.backup'), backupTime('x')]).toEqual([undefined, undefined]);
  });
});

describe('the key file', () => {
  test('holds 32 bytes in one of two ways, and is for its owner only', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'key');
      for (const text of [key.toString('base64'), key.toString('hex'), `${key.toString('base64')}\n`]) {
        await writeFile(file, text, { mode: 0o600 });
        expect(await readBackupKey(file)).toEqual(key);
      }
      for (const text of ['short', 'x'.repeat(64), key.toString('base64').slice(1), `${key.toString('base64')}AAAA`]) {
        await writeFile(file, text);
        await expect(readBackupKey(file)).rejects.toThrow('openssl rand -base64 32');
      }
      await chmod(file, 0o644);
      await expect(readBackupKey(file)).rejects.toThrow('chmod 0600');
    }));
});

describe("a file of metal-stack's backup-restore-sidecar", () => {
  // gzip of "hello from upstream", openssl enc -aes-256-ctr with this key and initial counter, which is at the end.
  const text = '0123456789abcdef0123456789ABCDEF';
  const iv = '000102030405060708090a0b0c0d0efe';
  const encrypted = '5c4f86a359c32fc0bf385fa00cd0910224db98f04143a0916cb7009a3a08c4b23615d214ec389f';
  const plain = '1f8b0800000000000003cb48cdc9c957482bcacf55282d282e294a4dcc0500c25d085213000000';

  test('is decrypted, with the counter carried on from its last byte', () =>
    inDirectory(async (directory) => {
      const [file, keyFile, output] = [join(directory, 'x.aes'), join(directory, 'key'), join(directory, 'out')];
      await writeFile(file, Buffer.from(encrypted + iv, 'hex'));
      await writeFile(keyFile, text, { mode: 0o600 });
      expect(await decryptSidecarFile(file, keyFile, output)).toBe('gzip');
      expect((await readFile(output)).toString('hex')).toBe(plain);
      await expect(decryptSidecarFile(file, keyFile, output)).rejects.toThrow('there is a file');
      await writeFile(keyFile, text.toLowerCase());
      expect(await decryptSidecarFile(file, keyFile, `${output}2`)).toBeUndefined();
      await writeFile(keyFile, `${text}!`);
      await expect(decryptSidecarFile(file, keyFile, `${output}3`)).rejects.toThrow('exactly 32 characters');
      await writeFile(keyFile, text);
      await writeFile(file, Buffer.from(iv.slice(2), 'hex'));
      await expect(decryptSidecarFile(file, keyFile, `${output}3`)).rejects.toThrow('too short');
      await writeFile(file, Buffer.from(iv, 'hex'));
      expect(await decryptSidecarFile(file, keyFile, `${output}3`)).toBeUndefined();
    }));
});
