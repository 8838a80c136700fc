import { chmodSync, statSync } from 'node:fs';
import { words } from '../errors.ts';
import type { Connection } from './statements.ts';

/** Where SQLite keeps a database. */
export interface DatabaseFiles {
  readonly database: string;
  /** The write-ahead log. */
  readonly journal: string;
}

/**
 * Throws once one of the files is not the one any more that was opened: SQLite would go on with what nobody can open again,
 * and all of it would be gone with this process. What can be saved is saved first, by `reader`, in which no transaction is
 * open; the message says where it is.
 */
export function keepSameFiles(files: DatabaseFiles, reader: Connection): () => void {
  const [database, journal] = [identityOf(files.database), identityOf(files.journal)];
  // SQLite opens its files at the first question, and these are the ones that can be saved.
  reader.get('SELECT count(*) FROM sqlite_schema', []);
  let failure: Error | undefined;
  return () => {
    if (failure !== undefined) throw failure;
    if (identityOf(files.database) !== database) failure = rescue(files.database, reader);
    else if (identityOf(files.journal) !== journal) failure = bringHome(files, reader);
    if (failure !== undefined) throw failure;
  };
}

function identityOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'gone' : `${found.dev} ${found.ino}`;
}

/** Into the database itself, which is still there. */
function bringHome({ database, journal }: DatabaseFiles, { sqlite }: Connection): Error {
  const what = `${journal} was removed or replaced while the server ran`;
  try {
    sqlite.exec('PRAGMA wal_checkpoint(PASSIVE)');
    return new Error(`${what}; ${database} has all that was in it`);
  } catch (error) {
    return new Error(`${what}, and what was in it is lost (${words(error)})`);
  }
}

function rescue(database: string, { sqlite }: Connection): Error {
  const what = `${database} was removed or replaced while the server ran`;
  const copy = `${database}.rescued`;
  try {
    // Of the two it is the copy that is written.
    sqlite.exec(`PRAGMA query_only = OFF; VACUUM INTO '${copy.replaceAll("'", "''")}'; PRAGMA query_only = ON`);
    chmodSync(copy, 0o600);
    return new Error(`${what}; all that was in it is in ${copy}: put that in its place`);
  } catch (error) {
    return new Error(`${what}, and cannot be copied to ${copy} (${words(error)})`);
  }
}
