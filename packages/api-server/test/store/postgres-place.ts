import { systemClock } from '@ingot/net';
import { openDatabase } from '../../src/store/open-database.ts';
import type { PostgresServer } from '../postgres-server.ts';
import type { Place } from './conformance/place.ts';

/** A database of its own on a server that many tests share. */
export async function postgresPlace(server: PostgresServer): Promise<Place & { readonly url: string }> {
  const url = await server.createDatabase();
  return {
    url,
    open: (clock = systemClock, upToVersion) =>
      openDatabase({ dialect: 'postgres', url }, { clock, ...(upToVersion === undefined ? {} : { upToVersion }) }),
    // It goes with the server.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
