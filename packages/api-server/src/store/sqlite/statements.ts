import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { ApiError, Code } from '@ingot/api';
import type { Row, SqlValue } from '../database.ts';
import { unavailable, UniqueViolation, words } from '../errors.ts';
import { checkValues } from '../values.ts';

/** One connection with its prepared statements. */
export interface Connection {
  readonly sqlite: DatabaseSync;
  run(sql: string, values: readonly SqlValue[]): number;
  get(sql: string, values: readonly SqlValue[]): Row | undefined;
  all(sql: string, values: readonly SqlValue[]): Row[];
  close(): void;
}

// Lists over many IDs have a statement for each length.
const MAX_STATEMENTS = 256;

type Statement = ReturnType<DatabaseSync['prepare']>;

export function createConnection(sqlite: DatabaseSync): Connection {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const statement = statements.get(sql) ?? sqlite.prepare(sql);
    // Back to the end: the front is what was not used for the longest time.
    statements.delete(sql);
    statements.set(sql, statement);
    if (statements.size > MAX_STATEMENTS) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest);
        break;
      }
    }
    return statement;
  };
  const ask = <T>(
    sql: string,
    values: readonly SqlValue[],
    how: (statement: Statement, values: SQLInputValue[]) => T,
  ): T => {
    checkValues(values);
    try {
      return how(prepare(sql), [...values]);
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    sqlite,
    run: (sql, values) => ask(sql, values, (statement, list) => Number(statement.run(...list).changes)),
    get: (sql, values) => ask(sql, values, (statement, list) => statement.get(...list)),
    all: (sql, values) => ask(sql, values, (statement, list) => statement.all(...list)),
    close() {
      statements.clear();
      if (sqlite.isOpen) sqlite.close();
    },
  };
}

// https://www.sqlite.org/rescode.html
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** What an error of SQLite means to whoever called. */
export function translated(error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY) {
    return new UniqueViolation(words(error), { cause: error });
  }
  switch (code & 0xff) {
    case BUSY:
      return unavailable('is locked by another program', error);
    case FULL:
      return new ApiError(Code.ResourceExhausted, 'the disk of the database is full: free some space', {
        cause: error,
      });
    case READONLY:
    case IOERR:
      return unavailable(`cannot write to its disk (${words(error)})`, error);
    case CANTOPEN:
      return unavailable(`cannot open its files (${words(error)}); this process may have too many open`, error);
    case CORRUPT:
      return new ApiError(Code.DataLoss, 'the database file is damaged: stop the server and restore a backup', {
        cause: error,
      });
    default:
      return error;
  }
}
