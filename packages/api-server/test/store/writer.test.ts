import { DatabaseSync } from 'node:sqlite';
import { Code } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { shareFlushes } from '../../src/store/sqlite/journal.ts';
import { createConnection } from '../../src/store/sqlite/statements.ts';
import { createWriter, type Writer } from '../../src/store/sqlite/writer.ts';
import { failure, until } from '../support.ts';

/** A writer whose disk is done when the test says so. */
function rig(): {
  readonly writer: Writer;
  readonly flushes: PromiseWithResolvers<void>[];
  readonly write: (n: number) => Promise<void>;
  readonly read: () => unknown[];
} {
  const connection = createConnection(new DatabaseSync(':memory:'));
  connection.sqlite.exec('CREATE TABLE t (n INTEGER)');
  const flushes: PromiseWithResolvers<void>[] = [];
  const flush = shareFlushes(() => {
    const flushed = Promise.withResolvers<void>();
    flushes.push(flushed);
    return flushed.promise;
  });
  const writer = createWriter(connection, flush, new MockClock());
  return {
    writer,
    flushes,
    write: (n) => writer.write(async () => void connection.run('INSERT INTO t VALUES (?)', [n])),
    read: () => connection.all('SELECT n FROM t', []).map((row) => row['n']),
  };
}

test('a write is answered, and what it wrote is told, when the disk has it; the next ones do not wait for that', async () => {
  const { writer, flushes, write, read } = rig();
  const done: string[] = [];
  const note = async (what: string, promise: Promise<unknown>): Promise<void> => {
    await promise;
    done.push(what);
  };
  const first = note('first', write(1));
  await until(() => flushes.length === 1);
  const told = note('told', writer.stored());
  const later = [2, 3].map((n) => note('later', write(n)));
  // Committed while the disk still works for the first.
  await until(() => read().length === 3);
  expect(done).toEqual([]);
  flushes[0]?.resolve();
  await Promise.all([first, told]);
  await until(() => flushes.length === 2);
  expect(done.toSorted()).toEqual(['first', 'told']);
  flushes[1]?.resolve();
  await Promise.all(later);
  await writer.stored();
  await writer.close();
  expect(flushes).toHaveLength(2);
});

test('after a write that the disk has not taken nothing more is promised', async () => {
  const { writer, flushes, write, read } = rig();
  const lost = failure(write(1));
  await until(() => flushes.length === 1);
  const next = failure(write(2));
  await until(() => read().length === 2);
  flushes[0]?.reject(new Error('EIO: i/o error, fdatasync'));
  expect(await lost).toMatchObject({ code: Code.Unavailable, message: expect.stringContaining('EIO') });
  // What was written before it may be gone from the log, and this with it.
  await until(() => flushes.length === 2);
  flushes[1]?.resolve();
  expect((await next).message).toContain('restart the server');
  expect((await failure(write(3))).message).toContain('restart the server');
  expect(writer.failure?.message).toContain('mend the disk');
  await writer.close();
});
