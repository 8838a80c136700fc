import { DatabaseSync } from 'node:sqlite';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** Each entry is one version of the file; entries are only ever added. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE lease (
     address INTEGER PRIMARY KEY,
     mac TEXT NOT NULL,
     uuid TEXT,
     state TEXT NOT NULL CHECK (state IN ('bound', 'released', 'declined')),
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE sighting (
     mac TEXT PRIMARY KEY,
     uuid TEXT,
     seen_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX sighting_seen_at ON sighting (seen_at);
   CREATE TABLE nonce (
     hash BLOB PRIMARY KEY,
     mac TEXT NOT NULL,
     uuid TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     used_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX nonce_mac ON nonce (mac);
   CREATE TABLE boot (
     mac TEXT PRIMARY KEY,
     kernel TEXT NOT NULL,
     init_ram_disks TEXT NOT NULL,
     cmdline TEXT NOT NULL,
     answered_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE sighting_log (
     id INTEGER PRIMARY KEY,
     mac TEXT NOT NULL,
     uuid TEXT,
     seen_at INTEGER NOT NULL
   ) STRICT;
   INSERT INTO sighting_log (mac, uuid, seen_at) SELECT mac, uuid, seen_at FROM sighting ORDER BY seen_at;
   DROP TABLE sighting;`,
  // Answers of any source, whole; those that were kept of the API move over.
  `CREATE TABLE boot_plan (
     source TEXT NOT NULL,
     mac TEXT NOT NULL,
     plan TEXT NOT NULL,
     answered_at INTEGER NOT NULL,
     PRIMARY KEY (source, mac)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX boot_plan_answered_at ON boot_plan (source, answered_at);
   INSERT INTO boot_plan SELECT 'api', mac, json_object('kind', 'kernel', 'kernel', kernel,
       'initRamDisks', json(init_ram_disks), 'cmdline', cmdline, 'message', '', 'wantsConfig', json('true')),
     answered_at FROM boot;
   DROP TABLE boot;
   CREATE TABLE boot_subject (
     mac TEXT PRIMARY KEY,
     subject TEXT NOT NULL,
     seen_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE lease6 (
     address TEXT PRIMARY KEY,
     duid TEXT NOT NULL,
     iaid INTEGER NOT NULL,
     mac TEXT,
     uuid TEXT,
     state TEXT NOT NULL CHECK (state IN ('bound', 'released', 'declined')),
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE server_duid (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     duid BLOB NOT NULL
   ) STRICT;`,
  // Nonces say themselves whose they are: only what was used, and what came later, is kept.
  `DROP TABLE nonce;
   CREATE TABLE used_nonce (
     fingerprint BLOB PRIMARY KEY,
     used_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX used_nonce_used_at ON used_nonce (used_at);
   CREATE TABLE last_nonce (
     mac TEXT PRIMARY KEY,
     issued_at INTEGER NOT NULL,
     salt INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX last_nonce_issued_at ON last_nonce (issued_at);`,
  `CREATE INDEX boot_subject_seen_at ON boot_subject (seen_at);`,
  `CREATE TABLE boot_subject_log (
     id INTEGER PRIMARY KEY,
     mac TEXT NOT NULL,
     subject TEXT NOT NULL
   ) STRICT;
   INSERT INTO boot_subject_log (mac, subject) SELECT mac, subject FROM boot_subject ORDER BY seen_at;
   DROP TABLE boot_subject;`,
  // What boards show that have no UUID was taken for one: all machines of such a make were the same.
  `UPDATE lease SET uuid = NULL WHERE trim(uuid, '0-') = '' OR trim(uuid, 'f-') = '';
   UPDATE lease6 SET uuid = NULL WHERE trim(uuid, '0-') = '' OR trim(uuid, 'f-') = '';
   UPDATE sighting_log SET uuid = NULL WHERE trim(uuid, '0-') = '' OR trim(uuid, 'f-') = '';
   UPDATE boot_subject_log SET subject = json_remove(subject, '$.uuid')
     WHERE trim(subject ->> '$.uuid', '0-') = '' OR trim(subject ->> '$.uuid', 'f-') = '';`,
];

/** KiB of pages in memory: what is known of 65,536 machines, which ask in no order. */
const CACHE_KIB = 32_768;
/**
 * Pages of 4 KiB in the journal before they are put into the database, which nobody is answered during. Every commit
 * writes the end of a log anew: SQLite's 1,000 pages are full several times a second where machines are new, and most of
 * them are the same few.
 */
const JOURNAL_PAGES = 16_384;

/**
 * Opens the one file that holds everything the boot server must not forget, and brings it to the newest version.
 * `path` may be `:memory:`. Throws BootServerError STORE_UNUSABLE.
 *
 * WAL with `synchronous = NORMAL`: a commit is in the operating system's hands when it returns, so it survives the
 * process being killed; a power cut may take the last moments, after which clients renew what they hold.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 5_000 });
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${JOURNAL_PAGES};
       PRAGMA foreign_keys = ON; PRAGMA cache_size = -${CACHE_KIB};`,
    );
    migrate(database);
    checkPages(database);
    return database;
  } catch (cause) {
    database?.close();
    throw new BootServerError(
      BootServerErrorCode.StoreUnusable,
      `cannot use ${path}: ${wordsOf(cause)}; ${adviceFor(cause)}`,
      cause,
    );
  }
}

/** 75 ms for what is known of 65,536 machines. Else a page that is damaged shows when some machine needs what is on it. */
function checkPages(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw new DamagedError(`it is damaged: ${String(found)}`);
}

class DamagedError extends Error {}

function adviceFor(cause: unknown): string {
  switch (sqliteCode(cause)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return `move the file away to start with no leases: addresses are asked for on the network before they are leased anew`;
    case SQLITE_FULL:
      return 'free space on its disk';
    default:
      return 'make its folder writable for this user, or move the file away to start with no leases';
  }
}

// https://sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

function sqliteCode(error: unknown): number | undefined {
  if (error instanceof DamagedError) return SQLITE_CORRUPT;
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  // The low byte is the primary code.
  return error.errcode & 0xff;
}

/** What SQLite says of a file that it cannot write, and what to do. */
export function storeFailureWords(error: Error): string {
  return `${error.message}: ${sqliteCode(error) === SQLITE_FULL ? 'free space on the disk of dataDir' : 'dataDir has to be on a disk that can be written'}`;
}

/** Whether a file that should be SQLite's holds something else. */
export function isNoDatabase(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_NOTADB;
}

function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get();
  const version = Number(row?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length)
    throw new Error(`it was written by a newer version (schema ${version}, this one knows ${MIGRATIONS.length})`);
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

/** Whether SQLite threw it: then the rows of the whole group may be gone. */
export function isStoreError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/** A text column; throws when the file was tampered with. */
export function textOf(value: unknown, column: string): string {
  if (typeof value !== 'string') throw new TypeError(`column ${column} holds no text`);
  return value;
}

/** An integer column. */
export function numberOf(value: unknown, column: string): number {
  if (typeof value !== 'number') throw new TypeError(`column ${column} holds no integer`);
  return value;
}

/** A clock's time for an INTEGER column: whole milliseconds. */
export function toColumn(ms: number): number {
  return Math.trunc(ms);
}
