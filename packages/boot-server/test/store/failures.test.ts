import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit, writeAnything } from '../../src/store/group-commit.ts';
import { lockDataDir } from '../../src/store/lock.ts';
import { engine, macOf } from '../dhcp/engine-lab.ts';
import { testConfig } from '../support/config.ts';
import { startLab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PAGE_BYTES = 4_096;

/** A store that is in use, with one page of rubbish in it. */
function damaged(page: number): string {
  const path = join(temporaryFolder(), 'boot-server.sqlite');
  openDatabase(path).close();
  const fd = openSync(path, 'r+');
  writeSync(fd, new Uint8Array(PAGE_BYTES).fill(0xa5), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
  closeSync(fd);
  return path;
}

it('a store with a damaged page is refused at the start, with what to do, and not when a machine needs the page', () => {
  // The first, that of the leases, and that of an index.
  for (const page of [1, 2, 4])
    expect(() => openDatabase(damaged(page))).toThrow(
      expect.objectContaining({
        code: 'BOOT_STORE_UNUSABLE',
        message: expect.stringMatching(
          /^cannot use .*boot-server\.sqlite: .*move the file away to start with no leases/s,
        ),
      }),
    );
});

it('a lock file that is none says that it may be removed', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'lock.sqlite');
  writeFileSync(path, 'no database, whatever it is');
  expect(() => lockDataDir(folder, 1)).toThrow(`remove ${path}`);
});

it('a dataDir that is a file is named', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  await expect(startLab({ config: () => testConfig(path) })).rejects.toMatchObject({
    code: 'BOOT_STORE_UNUSABLE',
    message: expect.stringMatching(/^dataDir: .*file/),
  });
});

it('a group that could not be written is known as failed until one can be', () => {
  const database = openDatabase(join(temporaryFolder(), 'boot-server.sqlite'));
  const commits = groupCommit(database);
  writeAnything(database, commits);
  expect(commits.failure).toBeUndefined();
  database.exec('PRAGMA query_only = ON');
  expect(() => writeAnything(database, commits)).toThrow('readonly');
  expect(commits.failure?.message).toContain('readonly');
  // A bug of one packet says nothing of the disk.
  expect(() =>
    commits.run(() => {
      throw new RangeError('a bug');
    }),
  ).toThrow('a bug');
  expect(commits.failure?.message).toContain('readonly');
  database.exec('PRAGMA query_only = OFF');
  writeAnything(database, commits);
  expect(commits.failure).toBeUndefined();
  database.close();
});

it('machines that ask while nothing can be written fill no log', async () => {
  const lab = engine({});
  lab.database.exec('PRAGMA query_only = ON');
  for (let index = 0; index < 50; index += 1) lab.receive(lab.request(macOf(index), '10.0.1.100'));
  expect(await lab.drops('internal')).toBe(50);
  expect(lab.log.events('store.failed')).toEqual([
    expect.objectContaining({
      level: 'error',
      msg: expect.stringContaining('dataDir has to be on a disk that can be written'),
    }),
  ]);
  await lab.clock.advance(3_000);
  lab.receive(lab.request(macOf(1), '10.0.1.100'));
  expect(lab.log.events('store.failed')).toHaveLength(2);
});
