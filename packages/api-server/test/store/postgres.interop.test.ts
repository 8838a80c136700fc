import { afterAll, beforeAll } from 'vitest';
import { startPostgres, type PostgresServer } from '../postgres-server.ts';
import { bmcCommandConformance } from './bmc-commands.ts';
import { storeConformance } from './conformance/conformance.ts';
import { postgresPlace } from './postgres-place.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

storeConformance(() => postgresPlace(server));
bmcCommandConformance(() => postgresPlace(server));
