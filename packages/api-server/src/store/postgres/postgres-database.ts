import type { Clock } from '@ingot/net';
import { ApiServerError, ApiServerErrorCode } from '../../errors.ts';
import { Dialect, type Database, type DatabaseState } from '../database.ts';
import { words } from '../errors.ts';
import { migrate } from '../migrate.ts';
import { createNotifier } from '../notifier.ts';
import { number } from '../row.ts';
import { createTransactionGuard } from '../transaction-guard.ts';
import { parsePostgresUrl } from './address.ts';
import { connectPostgres, type PostgresConnection } from './connection.ts';
import { translated } from './errors.ts';
import { startListener } from './listener.ts';
import { createPool, type Pool } from './pool.ts';
import { ask, createTransactions } from './transactions.ts';
import { postgresScript } from './translate.ts';

export interface PostgresOptions {
  /** See `parsePostgresUrl`. */
  readonly url: string;
  readonly password?: string;
  readonly clock: Clock;
  /** Connections besides the one that listens. Default 10. */
  readonly poolSize?: number;
  /** Stop after this migration. Default all. */
  readonly upToVersion?: number;
}

const DEFAULT_POOL_SIZE = 10;

/**
 * Connects to a PostgreSQL database (12 or later, UTF-8), which several servers may share, and brings it up to date. When
 * the database goes away, calls fail with `Unavailable` until it is back.
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { url, password, clock, poolSize = DEFAULT_POOL_SIZE } = options;
  try {
    const address = { ...parsePostgresUrl(url), ...(password === undefined ? {} : { password }) };
    const notifier = createNotifier();
    await prepare(await connectPostgres(address), url, options.upToVersion);
    const listener = await startListener(
      (onNotification) => connectPostgres(address, { clock, onNotification }),
      notifier,
      clock,
    );
    const pool = createPool({ connect: () => connectPostgres(address, { clock }), clock, size: poolSize });
    return database(pool, listener, notifier, clock);
  } catch (error) {
    if (error instanceof ApiServerError) throw error;
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseUnusable,
      `cannot use the database ${url}: ${words(error)}; check that it runs, the address and the password`,
      { cause: error },
    );
  }
}

/** Of the servers that start together one brings the database up to date, and the others wait for it. */
async function prepare(connection: PostgresConnection, name: string, upTo?: number): Promise<void> {
  try {
    const encoding = (await connection.query('SHOW server_encoding')).rows[0]?.['server_encoding'];
    if (encoding !== 'UTF8') {
      throw new ApiServerError(
        ApiServerErrorCode.DatabaseUnusable,
        `the database ${name} has the encoding ${String(encoding)}: create one with ENCODING 'UTF8' TEMPLATE template0`,
      );
    }
    await bringUpToDate(connection, name, upTo);
  } finally {
    await connection.close();
  }
}

async function bringUpToDate(connection: PostgresConnection, name: string, upTo?: number): Promise<void> {
  // Bringing a large database up to date may take longer than anything else.
  await connection.query('SET statement_timeout = 0');
  await connection.query('SET lock_timeout = 0');
  await connection.query("SELECT pg_advisory_lock(hashtext('ingot migrations'))");
  await connection.query('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)');
  await migrate(
    {
      name,
      dialect: Dialect.Postgres,
      version: async () => {
        const found = await connection.query('SELECT coalesce(max(version), 0) AS version FROM schema_version');
        return number(found.rows[0] ?? {}, 'version');
      },
      async apply(script, version) {
        // Several statements in one question are one transaction.
        await connection.query(
          `BEGIN; ${postgresScript(script)}; INSERT INTO schema_version (version) VALUES (${version}); COMMIT`,
        );
      },
    },
    upTo,
  );
}

function database(
  pool: Pool,
  listener: Awaited<ReturnType<typeof startListener>>,
  notifier: ReturnType<typeof createNotifier>,
  clock: Clock,
): Database {
  const guard = createTransactionGuard();
  const { transaction, run } = createTransactions(pool, guard, clock);
  const all: Database['all'] = async (sql, ...values) => {
    guard.refuseInside();
    try {
      return await pool.use((connection) => ask(connection, sql, values));
    } catch (error) {
      throw translated(error);
    }
  };
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await pool.close();
    await listener.close();
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  return {
    dialect: Dialect.Postgres,
    transaction,
    run,
    get: async (sql, ...values) => (await all(sql, ...values))[0],
    all,
    notify: (channel, payload) => transaction((session) => session.notify(channel, payload)),
    subscribe: (channel, one) => notifier.subscribe(channel, one),
    async state(): Promise<DatabaseState> {
      try {
        await all('SELECT 1');
      } catch (error) {
        return { ok: false, reason: words(error) };
      }
      return listener.listening
        ? { ok: true }
        : { ok: false, reason: 'the database answers, but its notifications do not come: waiting machines are late' };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
