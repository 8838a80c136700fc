import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePostgresUrl } from '../../src/store/postgres/address.ts';
import { connectPostgres } from '../../src/store/postgres/connection.ts';
import { startPostgres, type PostgresServer } from '../postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const QUESTIONS = 10_000;
/** Promises that raced against one of the connection's left 258 bytes each. */
const MOST_LEFT_BYTES = 100;

test('a connection that goes on keeps nothing of what it was asked', async () => {
  const connection = await connectPostgres(parsePostgresUrl(await server.createDatabase()));
  const ask = async (count: number): Promise<void> => {
    for (let asked = 0; asked < count; asked += 100)
      await Promise.all(Array.from({ length: 100 }, () => connection.query('SELECT $1::text AS value', ['x'])));
    await setImmediate();
    collectGarbage();
  };
  await ask(2_000);
  const before = process.memoryUsage().heapUsed;
  await ask(QUESTIONS);
  expect((process.memoryUsage().heapUsed - before) / QUESTIONS).toBeLessThan(MOST_LEFT_BYTES);
  await connection.close();
});
