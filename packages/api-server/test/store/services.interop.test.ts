// The tests of the services once more, with their data in PostgreSQL.
import { globSync, readFileSync } from 'node:fs';
import { systemClock } from '@ingot/net';
import { afterAll } from 'vitest';
import { openDatabase } from '../../src/store/open-database.ts';
import { startPostgres } from '../postgres-server.ts';
import { keepRigsIn } from '../support.ts';

// What a crash leaves is tested elsewhere; here a wait for the disk at every step would only take time.
const server = await startPostgres({ fsync: 'off', full_page_writes: 'off', autovacuum: 'off' });
afterAll(() => server[Symbol.asyncDispose]());
// Made once with its tables, and copied.
const template = await server.createDatabase();
await (await openDatabase({ dialect: 'postgres', url: template }, { clock: systemClock })).close();
const templateName = new URL(template).pathname.slice(1);
keepRigsIn(async () => ({ dialect: 'postgres', url: await server.createDatabase(templateName) }));

const folder = new URL('../', import.meta.url);
/** Questions to rules, which are the same with any database. */
const elsewhere = [
  'authorization-matrix.test.ts',
  'token-rights.test.ts',
  'reflection.test.ts',
  'allocation/labels.test.ts',
  'machine/machine-query.test.ts',
  'real-agents.test.ts',
  'auth/call-limits.test.ts',
];
for (const file of globSync('**/*.test.ts', { cwd: folder, exclude: ['**/*.interop.test.ts', ...elsewhere] })) {
  const url = new URL(file, folder);
  if (readFileSync(url, 'utf8').includes('startRig(')) await import(url.href);
}
