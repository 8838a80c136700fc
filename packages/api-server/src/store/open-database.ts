import type { Clock } from '@ingot/net';
import type { Database } from './database.ts';
import type { DatabaseLocation } from './location.ts';
import { openPostgres } from './postgres/postgres-database.ts';
import { openSqlite } from './sqlite/sqlite-database.ts';

export interface OpenOptions {
  readonly clock: Clock;
}

/** Opens the database and brings it up to date. Throws an `ApiServerError` that says what to do. */
export async function openDatabase(location: DatabaseLocation, { clock }: OpenOptions): Promise<Database> {
  if (location.dialect === 'sqlite') return openSqlite({ path: location.path, clock });
  return openPostgres({ ...location, clock });
}
