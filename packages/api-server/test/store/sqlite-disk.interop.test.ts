import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Code, type ApiError } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { text } from '../../src/store/row.ts';
import { failure } from '../support.ts';

const run = promisify(execFile);

/** A disk of its own, in memory. */
async function smallDisk(): Promise<AsyncDisposable & { readonly directory: string; grow(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]);
  return {
    directory,
    grow: async () => void (await run('mount', ['-o', 'remount,size=16m', directory])),
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', directory]);
      await rm(directory, { recursive: true });
    },
  };
}

async function namesIn(database: Database): Promise<string[]> {
  const rows = await database.all('SELECT name FROM secret');
  return rows.map((row) => text(row, 'name')).toSorted();
}

test('on a full disk nothing is promised that is not kept, reads go on, and so do writes when there is room', async () => {
  await using disk = await smallDisk();
  const location = { dialect: 'sqlite', path: join(disk.directory, 'data', 'api.sqlite') } as const;
  const database = await openDatabase(location, { clock: systemClock });
  const write = (name: string, size: number): Promise<unknown> =>
    database.run('INSERT INTO secret (name, value) VALUES (?, ?)', name, 'x'.repeat(size));
  const promised: string[] = [];
  const refusals: ApiError[] = [];
  const note = async (name: string, size: number): Promise<void> => {
    try {
      await write(name, size);
      promised.push(name);
    } catch (error) {
      refusals.push(await failure(Promise.reject(error)));
    }
  };
  for (let index = 0; refusals.length === 0; index += 1) await note(`one-${index}`, 30_000);
  expect(refusals[0]).toMatchObject({
    code: Code.ResourceExhausted,
    message: expect.stringContaining('free some space'),
  });
  await Promise.all(Array.from({ length: 40 }, (_, index) => note(`many-${index}`, index * 1_000)));
  expect(await database.state()).toMatchObject({ ok: false, reason: expect.stringContaining('is full') });
  expect(await namesIn(database)).toEqual(promised.toSorted());
  await disk.grow();
  await write('after', 30_000);
  expect(await database.state()).toEqual({ ok: true });
  await database.close();

  await using again = await openDatabase(location, { clock: systemClock });
  expect(await namesIn(again)).toEqual([...promised, 'after'].toSorted());
  expect(await again.transaction((session) => session.get('PRAGMA integrity_check'))).toEqual({
    integrity_check: 'ok',
  });
});

test('a database on a disk that is read-only is refused at the start, with what to do', async () => {
  await using disk = await smallDisk();
  const location = { dialect: 'sqlite', path: join(disk.directory, 'data', 'api.sqlite') } as const;
  await (await openDatabase(location, { clock: systemClock })).close();
  await run('mount', ['-o', 'remount,ro', disk.directory]);
  await expect(openDatabase(location, { clock: systemClock })).rejects.toMatchObject({
    code: 'DATABASE_UNUSABLE',
    message: expect.stringContaining('check its owner and the free space'),
  });
});
