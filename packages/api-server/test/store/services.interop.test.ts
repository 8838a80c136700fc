// Every test of the services once more, with their data in PostgreSQL.
import { globSync, readFileSync } from 'node:fs';
import { systemClock } from '@ingot/net';
import { afterAll } from 'vitest';
import { openDatabase } from '../../src/store/open-database.ts';
import { startPostgres } from '../postgres-server.ts';
import { keepRigsIn } from '../support.ts';

// What a crash leaves is tested elsewhere; here a wait for the disk at every step would only take time.
const server = await startPostgres({ fsync: 'off' });
afterAll(() => server[Symbol.asyncDispose]());
// Made once with its tables, and copied.
const template = await server.createDatabase();
await (await openDatabase({ dialect: 'postgres', url: template }, { clock: systemClock })).close();
const templateName = new URL(template).pathname.slice(1);
keepRigsIn(async () => ({ dialect: 'postgres', url: await server.createDatabase(templateName) }));

const folder = new URL('../', import.meta.url);
for (const file of globSync('**/*.test.ts', { cwd: folder, exclude: ['**/*.interop.test.ts'] })) {
  const url = new URL(file, folder);
  if (readFileSync(url, 'utf8').includes('startRig(')) await import(url.href);
}
