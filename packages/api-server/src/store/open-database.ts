import type { Clock } from '@ingot/net';
import type { Database } from './database.ts';
import type { DatabaseLocation } from './location.ts';
import { openPostgres } from './postgres/postgres-database.ts';
import { openSqlite } from './sqlite/sqlite-database.ts';

export interface OpenOptions {
  readonly clock: Clock;
  /** Bring it up to this version only: for a backup of an earlier one. Default the newest. */
  readonly upToVersion?: number;
}

/** Opens the database and brings it up to date. Throws an `ApiServerError` that says what to do. */
export async function openDatabase(location: DatabaseLocation, options: OpenOptions): Promise<Database> {
  if (location.dialect === 'sqlite') return openSqlite({ path: location.path, ...options });
  return openPostgres({ ...location, ...options });
}
