import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import type { Database, Session, SqlValue } from '../store/database.ts';
import type { DatabaseLocation } from '../store/location.ts';
import { migrations } from '../store/migrations/index.ts';
import { openDatabase } from '../store/open-database.ts';
import { number, optionalText } from '../store/row.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';
import type { Line } from './rows.ts';
import { quoted, tablesOf } from './tables.ts';
import { readBackup, verifyBackup, type BackupReport } from './write-backup.ts';

export interface RestoreBackupOptions {
  readonly file: string;
  readonly key: Uint8Array | undefined;
  /** An SQLite file that does not exist, or a PostgreSQL database without data. */
  readonly location: DatabaseLocation;
  readonly clock: Clock;
}

/** Long for any database, and an end for one that hangs. */
const RESTORE_WITHIN_MS = 60 * 60 * 1000;
/** Below what either database takes in one statement. */
const VALUES_AT_ONCE = 500;

/**
 * Fills an empty place with a backup, from whichever database that is, and brings it up to date. Reads all of the backup
 * before it touches anything; if something fails nothing is left behind.
 */
export async function restoreBackup({ file, key, location, clock }: RestoreBackupOptions): Promise<BackupReport> {
  const report = await verifyBackup(file, key);
  const { schema } = report.header;
  if (schema > migrations.length) {
    throw new BackupError(
      BackupErrorCode.TooNew,
      `the backup is of version ${schema}, this program knows ${migrations.length}: restore it with Ingot ${report.header.program} or later`,
    );
  }
  if (location.dialect === 'sqlite' && existsSync(location.path)) {
    throw notEmpty(`there is a file ${location.path}: move it away, or name another place`);
  }
  try {
    {
      await using database = await openDatabase(location, { clock, upToVersion: schema });
      await refuseData(database, schema);
      await database.transaction((session) => fill(session, database, file, key), { withinMs: RESTORE_WITHIN_MS });
    }
    await (await openDatabase(location, { clock })).close();
    // The server makes its own, as its own user.
    if (location.dialect === 'sqlite') await rm(`${location.path}.lock`, { force: true });
    return report;
  } catch (error) {
    if (location.dialect === 'sqlite') {
      for (const end of ['', '-wal', '-shm', '.lock']) await rm(`${location.path}${end}`, { force: true });
    }
    throw error;
  }
}

async function refuseData(database: Database, schema: number): Promise<void> {
  if (database.dialect === 'postgres') {
    const seen = number((await database.get('SELECT max(version) AS version FROM schema_version')) ?? {}, 'version');
    if (seen > schema) {
      throw notEmpty(`the database is of version ${seen}, and the backup of ${schema}: create an empty one for it`);
    }
  }
  for (const { name } of await tablesOf(database, database.dialect)) {
    const row = await database.get(`SELECT count(*) AS found FROM ${quoted(name)}`);
    if (row !== undefined && number(row, 'found') > 0) {
      throw notEmpty(`the table ${name} of the database has rows: create an empty database`);
    }
  }
}

function notEmpty(what: string): BackupError {
  return new BackupError(BackupErrorCode.NotEmpty, `a backup is restored into an empty place only, and ${what}`);
}

async function fill(session: Session, { dialect }: Database, file: string, key: Uint8Array | undefined): Promise<void> {
  const tables = await tablesOf(session, dialect);
  await readBackup(file, key, async (_header, lines) => {
    let into: { readonly insert: Inserter } | undefined;
    for await (const line of lines) {
      if (line.kind === 'row') {
        if (into === undefined) throw new BackupError(BackupErrorCode.Damaged, 'the backup has rows of no table');
        await into.insert.add(line.values);
        continue;
      }
      await into?.insert.flush();
      into = line.kind === 'table' ? { insert: inserter(session, checkedTable(line, tables)) } : undefined;
    }
  });
  if (dialect === 'postgres') for (const table of tables) await continueCounting(session, table);
}

type TableLine = Line & { readonly kind: 'table' };

/** Names go into statements, so they must be those of the tables that there are. */
function checkedTable(line: TableLine, tables: Awaited<ReturnType<typeof tablesOf>>): TableLine {
  const table = tables.find(({ name }) => name === line.table);
  if (table === undefined || line.columns.some((column) => !table.columns.includes(column))) {
    throw new BackupError(BackupErrorCode.Damaged, 'the backup has other tables than its version: take another one');
  }
  return line;
}

interface Inserter {
  add(values: readonly SqlValue[]): Promise<void>;
  flush(): Promise<void>;
}

function inserter(session: Session, { table, columns }: TableLine): Inserter {
  const rowsAtOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / columns.length));
  const names = columns.map(quoted).join(', ');
  const marks = `(${columns.map(() => '?').join(', ')})`;
  let pending: (readonly SqlValue[])[] = [];
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    const rows = pending;
    pending = [];
    await session.run(
      `INSERT INTO ${quoted(table)} (${names}) VALUES ${rows.map(() => marks).join(', ')}`,
      ...rows.flat(),
    );
  };
  return {
    flush,
    async add(values) {
      if (values.length !== columns.length) {
        throw new BackupError(BackupErrorCode.Damaged, `the backup has a row of ${table} with too many or few values`);
      }
      pending.push(values);
      if (pending.length >= rowsAtOnce) await flush();
    },
  };
}

/** PostgreSQL counts by itself and did not see what was restored; SQLite looks at the table. */
async function continueCounting(
  session: Session,
  table: { readonly name: string; readonly key: readonly string[] },
): Promise<void> {
  for (const column of table.key) {
    const row = await session.get('SELECT pg_get_serial_sequence(?, ?)::text AS sequence', quoted(table.name), column);
    const sequence = row === undefined ? undefined : optionalText(row, 'sequence');
    if (sequence === undefined) continue;
    await session.get(
      `SELECT setval(?, greatest(1, (SELECT coalesce(max(${quoted(column)}), 0) FROM ${quoted(table.name)}))) AS now`,
      sequence,
    );
  }
}
