import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ApiServerError, ApiServerErrorCode } from '../errors.ts';
import { words } from './errors.ts';

// https://www.sqlite.org/rescode.html#busy
const SQLITE_BUSY = 5;

/**
 * Takes what belongs to one server at a time; `path` is the lock's own file. The lock is one that SQLite takes from the
 * kernel, so it ends with the process, however that ends. Throws when another process has it.
 */
export function takeLock(path: string, what: string): Disposable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const handle = new DatabaseSync(path, { timeout: 0 });
  try {
    chmodSync(path, 0o600);
    // Nothing is ever committed: the transaction itself is the lock.
    handle.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    handle.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new ApiServerError(
        ApiServerErrorCode.DatabaseInUse,
        `another API server runs on ${what}: stop it, or give this one a dataDir of its own; ` +
          'several servers share a database only on PostgreSQL',
        { cause: error },
      );
    }
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseUnusable,
      `cannot lock ${path}: ${words(error)}; check its owner and the free space`,
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => handle.close() };
}
