import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { ApiServerError, ApiServerErrorCode } from '../errors.ts';
import { migrations } from './migrations/index.ts';

export type Row = Readonly<Record<string, unknown>>;

/** The one connection to the one file. Calls block; a write is on the disk when it returns. */
export interface Database extends Disposable {
  /** Runs `work` as one transaction: all of it is stored, or, if it throws, nothing. Calls nest. */
  transaction<T>(work: () => T): T;
  run(sql: string, ...values: SQLInputValue[]): number;
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  close(): void;
}

const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens or creates the database file, mode 0600 in a directory of mode 0700, and brings it up to date.
 * WAL with `synchronous = FULL`: whatever a client got an answer for survives a crash of the machine, too.
 */
export function openDatabase(path: string): Database {
  let sqlite: DatabaseSync;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    chmodSync(path, 0o600);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  } catch (error) {
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseUnusable,
      `cannot open the database ${path}: ${words(error)}; check dataDir, its owner and the free space`,
      { cause: error },
    );
  }
  const database = wrap(sqlite);
  try {
    migrate(database, sqlite, path);
  } catch (error) {
    sqlite.close();
    if (error instanceof ApiServerError) throw error;
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseUnusable,
      `cannot upgrade the database ${path}: ${words(error)}; restore it from a backup or remove it to start anew`,
      { cause: error },
    );
  }
  return database;
}

function migrate(database: Database, sqlite: DatabaseSync, path: string): void {
  const seen = Number(database.get('PRAGMA user_version')?.['user_version'] ?? 0);
  if (seen > migrations.length) {
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseTooNew,
      `the database ${path} is of version ${seen}, this program knows ${migrations.length}: start the newer program`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < seen) continue;
    database.transaction(() => {
      sqlite.exec(sql);
      sqlite.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

function wrap(sqlite: DatabaseSync): Database {
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = sqlite.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  const close = (): void => {
    statements.clear();
    if (sqlite.isOpen) sqlite.close();
  };
  return {
    transaction<T>(work: () => T): T {
      if (sqlite.isTransaction) return work();
      // IMMEDIATE: a second process waits here (busy_timeout) and not in the middle of the work.
      sqlite.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        sqlite.exec('COMMIT');
        return result;
      } catch (error) {
        if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
        throw error;
      }
    },
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    get: (sql, ...values) => prepare(sql).get(...values),
    all: (sql, ...values) => prepare(sql).all(...values),
    close,
    [Symbol.dispose]: close,
  };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
