import { DatabaseSync } from 'node:sqlite';
import type { Dialect, Sql } from '../store/database.ts';
import { words } from '../store/errors.ts';
import type { DatabaseLocation } from '../store/location.ts';
import { migrations } from '../store/migrations/index.ts';
import { parsePostgresUrl } from '../store/postgres/address.ts';
import { connectPostgres } from '../store/postgres/connection.ts';
import { ask } from '../store/postgres/transactions.ts';
import { number } from '../store/row.ts';
import { createConnection } from '../store/sqlite/statements.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';

/** One state of a database, which a server may go on changing meanwhile. */
export interface BackupSource {
  readonly dialect: Dialect;
  /** Migrations that it has seen. */
  readonly schema: number;
  readonly sql: Sql;
}

/** Reads a database without changing anything about it, its version included. */
export async function withSource<T>(
  location: DatabaseLocation,
  work: (source: BackupSource) => Promise<T>,
): Promise<T> {
  return location.dialect === 'sqlite' ? fromSqlite(location.path, work) : fromPostgres(location, work);
}

// A server writes the end of its journal into the file now and then, and holds it for as long.
const BUSY_TIMEOUT_MS = 5_000;

async function fromSqlite<T>(path: string, work: (source: BackupSource) => Promise<T>): Promise<T> {
  let sqlite: DatabaseSync;
  try {
    sqlite = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw unreadable(path, error);
  }
  const connection = createConnection(sqlite);
  try {
    sqlite.exec('BEGIN');
    const schema = number(connection.get('PRAGMA user_version', []) ?? {}, 'user_version');
    const sql: Sql = {
      run: () => Promise.reject(new TypeError('a backup writes nothing')),
      get: async (text, ...values) => connection.get(text, values),
      all: async (text, ...values) => connection.all(text, values),
    };
    return await work({ dialect: 'sqlite', schema: known(path, schema), sql });
  } finally {
    connection.close();
  }
}

async function fromPostgres<T>(
  { url, password }: DatabaseLocation & { readonly dialect: 'postgres' },
  work: (source: BackupSource) => Promise<T>,
): Promise<T> {
  const address = { ...parsePostgresUrl(url), ...(password === undefined ? {} : { password }) };
  const connection = await connectPostgres(address).catch((error: unknown) => {
    throw unreadable(url, error);
  });
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const sql: Sql = {
      run: () => Promise.reject(new TypeError('a backup writes nothing')),
      get: async (text, ...values) => (await ask(connection, text, values))[0],
      all: (text, ...values) => ask(connection, text, values),
    };
    const there = await sql.get("SELECT count(*) AS found FROM pg_class WHERE oid = to_regclass('schema_version')");
    const found = number(there ?? {}, 'found') === 1;
    const row = found ? await sql.get('SELECT max(version) AS version FROM schema_version') : undefined;
    return await work({ dialect: 'postgres', schema: known(url, row === undefined ? 0 : number(row, 'version')), sql });
  } finally {
    await connection.close();
  }
}

function known(name: string, schema: number): number {
  if (schema === 0) throw unreadable(name, new Error('no API server has kept data there'));
  if (schema > migrations.length) {
    throw new BackupError(
      BackupErrorCode.TooNew,
      `${name} is of version ${schema}, this program knows ${migrations.length}: use the newer program`,
    );
  }
  return schema;
}

function unreadable(name: string, cause: unknown): BackupError {
  return new BackupError(BackupErrorCode.Place, `cannot read the database ${name}: ${words(cause)}`, { cause });
}
