import type { DatabaseSync } from 'node:sqlite';
import { isStoreError } from './database.ts';

/** Many rows, one commit: what several packets change goes to disk together, before any of them is answered. */
export interface GroupCommit {
  /**
   * Runs `work`, which must not wait for anything. All rows that it writes are committed when this returns; when it
   * throws, none is.
   */
  run<T>(work: () => T): T;
  /** Stores call it before they write, so that a group without a row costs nothing. */
  willWrite(): void;
  /** For stores that remember what they wrote: called when rows that were written are not there after all. */
  onRollback(forget: () => void): void;
  /** The number of the group that runs, or ran last: tells a store which of its writes belong together. */
  readonly group: number;
  /** Why the last group that had rows could not be written; undefined when it was. */
  readonly failure: Error | undefined;
}

export function groupCommit(database: DatabaseSync): GroupCommit {
  const begin = database.prepare('BEGIN');
  const commit = database.prepare('COMMIT');
  const forgetters: (() => void)[] = [];
  let group = 0;
  let isRunning = false;
  let hasBegun = false;
  let failure: Error | undefined;
  return {
    get failure() {
      return failure;
    },
    get group() {
      return group;
    },
    willWrite: () => {
      if (!isRunning || hasBegun) return;
      begin.run();
      hasBegun = true;
    },
    run: (work) => {
      group += 1;
      isRunning = true;
      hasBegun = false;
      try {
        const result = work();
        if (hasBegun) {
          commit.run();
          failure = undefined;
        }
        return result;
      } catch (error) {
        if (isStoreError(error)) failure = error;
        // SQLite itself has rolled back after some errors, a full disk for one.
        if (database.isTransaction) database.exec('ROLLBACK');
        for (const forget of forgetters) forget();
        throw error;
      } finally {
        isRunning = false;
      }
    },
    onRollback: (forget) => {
      forgetters.push(forget);
    },
  };
}

/** Writes a row that says nothing: whether there is room again. Throws what SQLite says. */
export function writeAnything(database: DatabaseSync, commits: GroupCommit): void {
  commits.run(() => {
    commits.willWrite();
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    database.exec(`PRAGMA user_version = ${version}`);
  });
}
