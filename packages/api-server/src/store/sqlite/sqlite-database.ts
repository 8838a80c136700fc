import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { ApiServerError, ApiServerErrorCode } from '../../errors.ts';
import { Dialect, type Database, type Session } from '../database.ts';
import { unavailable, words } from '../errors.ts';
import { migrate } from '../migrate.ts';
import { createNotifier } from '../notifier.ts';
import { createTransactionGuard } from '../transaction-guard.ts';
import { takeLock } from '../lock.ts';
import { openJournal, type Journal } from './journal.ts';
import { createReaders, type Readers } from './readers.ts';
import { keepSameFiles, type DatabaseFiles } from './same-files.ts';
import { openSession } from './session.ts';
import { createConnection, translated, type Connection } from './statements.ts';
import { createWriter } from './writer.ts';

export interface SqliteOptions {
  /** The database file. Absolute. */
  readonly path: string;
  readonly clock: Clock;
  /** Stop after this migration. Default all. */
  readonly upToVersion?: number;
}

/** Copies of the file may be made by other programs, which hold it shortly. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens or creates the database file, mode 0600 in a directory of mode 0700, locks it for this process and brings it up
 * to date. WAL, with a wait for the disk before each answer: whatever a client was told survives a crash of the host, too.
 */
export async function openSqlite({ path, clock, upToVersion }: SqliteOptions): Promise<Database> {
  const opened: Disposable[] = [];
  const dispose = (): void => {
    for (const one of opened.splice(0).toReversed()) one[Symbol.dispose]();
  };
  const connect = (settings: string): Connection => {
    const connection = createConnection(new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }));
    opened.push({ [Symbol.dispose]: () => connection.close() });
    connection.sqlite.exec(settings);
    return connection;
  };
  try {
    opened.push(takeLock(`${path}.lock`, path));
    const connection = connect('');
    chmodSync(path, 0o600);
    connection.sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
    await migrateSqlite(connection, path, upToVersion);
    const files = { database: path, journal: `${path}-wal` };
    const journal = await openJournal(files.journal);
    const openReader = (): Connection => {
      try {
        return connect('PRAGMA query_only = ON');
      } catch (error) {
        throw translated(error);
      }
    };
    return database({ connection, journal, readers: createReaders(openReader), files, clock, dispose });
  } catch (error) {
    dispose();
    if (error instanceof ApiServerError) throw error;
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseUnusable,
      `cannot open the database ${path}: ${words(error)}; check dataDir, its owner and the free space`,
      { cause: error },
    );
  }
}

async function migrateSqlite(connection: Connection, path: string, upTo?: number): Promise<void> {
  const { sqlite } = connection;
  const target = {
    name: path,
    dialect: Dialect.Sqlite,
    version: () => Number(connection.get('PRAGMA user_version', [])?.['user_version'] ?? 0),
    apply(script: string, version: number): void {
      sqlite.exec('BEGIN IMMEDIATE');
      try {
        sqlite.exec(script);
        sqlite.exec(`PRAGMA user_version = ${version}; COMMIT`);
      } catch (error) {
        if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
        throw error;
      }
    },
  };
  await migrate(target, upTo);
}

interface Opened {
  readonly connection: Connection;
  readonly journal: Journal;
  readonly readers: Readers;
  readonly files: DatabaseFiles;
  readonly clock: Clock;
  readonly dispose: () => void;
}

function database({ connection, journal, readers, files, clock, dispose }: Opened): Database {
  const guard = createTransactionGuard();
  const notifier = createNotifier();
  const refuseOtherFiles = keepSameFiles(files, readers.shared);
  const flush = async (): Promise<void> => {
    await journal.flush();
    refuseOtherFiles();
  };
  const writer = createWriter(connection, flush, clock);

  const transaction: Session['transaction'] = async (work, options = {}) => {
    guard.refuseInside();
    if (options.mode === 'read') {
      const found = await readers.snapshot((reader) =>
        guard.inside(() => openSession(reader, options, clock).use(work)),
      );
      await writer.stored();
      return found;
    }
    const notifications: [string, string][] = [];
    const result = await writer.write(() => {
      notifications.length = 0;
      const session = openSession(connection, options, clock, (channel, payload) =>
        notifications.push([channel, payload]),
      );
      return guard.inside(() => session.use(work));
    });
    for (const [channel, payload] of notifications) notifier.deliver(channel, payload);
    return result;
  };

  const end = async (): Promise<void> => {
    await writer.close();
    await readers.close();
    await journal.close();
    dispose();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  const refuseClosed = (): void => {
    guard.refuseInside();
    if (closing !== undefined) throw unavailable('is closed');
  };
  return {
    dialect: Dialect.Sqlite,
    transaction,
    run: (sql, ...values) => transaction((session) => session.run(sql, ...values)),
    async get(sql, ...values) {
      refuseClosed();
      const row = readers.shared.get(sql, values);
      await writer.stored();
      return row;
    },
    async all(sql, ...values) {
      refuseClosed();
      const rows = readers.shared.all(sql, values);
      await writer.stored();
      return rows;
    },
    async notify(channel, payload) {
      guard.refuseInside();
      notifier.deliver(channel, payload);
    },
    subscribe: (channel, listener) => notifier.subscribe(channel, listener),
    async state() {
      try {
        refuseOtherFiles();
        readers.shared.get('SELECT 1', []);
        const failure = writer.failure ?? writer.trouble;
        return failure === undefined ? { ok: true } : { ok: false, reason: words(failure) };
      } catch (error) {
        return { ok: false, reason: words(error) };
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
