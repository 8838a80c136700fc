import { createHash } from 'node:crypto';
import type { Clock } from '@ingot/net';
import type { Session, TransactionOptions } from '../database.ts';
import { unavailable } from '../errors.ts';
import { createSession } from '../session.ts';
import type { TransactionGuard } from '../transaction-guard.ts';
import { checkValues } from '../values.ts';
import { ConnectionLost, type PostgresConnection } from './connection.ts';
import { isConflict, translated } from './errors.ts';
import { createLanes } from './lanes.ts';
import { encodeNotification, POSTGRES_CHANNEL } from './listener.ts';
import type { Pool } from './pool.ts';
import { numberedPlaceholders } from './translate.ts';

/** Of those that try one succeeds, but it may be the same one for a while: it takes both to give up. */
const MAX_TRIES = 30;
const MAX_TRYING_MS = 10_000;

/** The lock of those that lost. */
const DEFEATED = '';

type Work<T> = (session: Session) => Promise<T> | T;

/** Transactions that behave as if they ran one after the other: SERIALIZABLE, tried again when PostgreSQL asks for it. */
export function createTransactions(pool: Pool, guard: TransactionGuard, clock: Clock): Session['transaction'] {
  const lanes = createLanes(clock);

  const once = <T>(work: Work<T>, options: TransactionOptions): Promise<T> =>
    pool.use(async (connection) => {
      const { serialise } = options;
      if (serialise === undefined) return inTransaction(connection, work, options, guard, clock);
      // A lock of the session, taken before the transaction begins: within, the state that it sees is that of the moment
      // when it asked for the lock, and not when it got it.
      const key = lockKey(serialise);
      await connection.query('SELECT pg_advisory_lock($1::text::bigint)', [key]);
      try {
        return await inTransaction(connection, work, options, guard, clock);
      } finally {
        await unlock(connection, key);
      }
    });

  const retrying = async <T>(work: Work<T>, options: TransactionOptions): Promise<T> => {
    const until = clock.monotonic() + MAX_TRYING_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(work, options);
      } catch (error) {
        if (!isConflict(error) || (attempt >= MAX_TRIES && clock.monotonic() >= until)) throw error;
      }
    }
  };

  return async (work, options = {}) => {
    guard.refuseInside();
    const { serialise } = options;
    try {
      if (serialise !== undefined) {
        // One connection waits for the lock, and not all of them.
        return await lanes.run(serialise, () => retrying(work, options));
      }
      try {
        return await once(work, options);
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      // Those that lost try again one after the other, or they would go on losing against each other; and so those of all
      // servers, since a server that has just won is the first to begin its next.
      return await lanes.run(DEFEATED, () => retrying(work, { ...options, serialise: DEFEATED }));
    } catch (error) {
      throw translated(error);
    }
  };
}

async function inTransaction<T>(
  connection: PostgresConnection,
  work: Work<T>,
  options: TransactionOptions,
  guard: TransactionGuard,
  clock: Clock,
): Promise<T> {
  const reading = options.mode === 'read';
  const notifications = new Set<string>();
  const session = createSession(
    options,
    {
      async run(sql, values) {
        checkValues(values);
        return (await connection.query(numberedPlaceholders(sql), values)).count;
      },
      get: async (sql, values) => (await ask(connection, sql, values))[0],
      all: (sql, values) => ask(connection, sql, values),
      async notify(channel, payload) {
        notifications.add(encodeNotification(channel, payload));
      },
    },
    clock,
  );
  await connection.query(
    reading ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN ISOLATION LEVEL SERIALIZABLE',
  );
  let result: T;
  try {
    result = await guard.inside(() => session.use(work));
    for (const notification of notifications) {
      await connection.query('SELECT pg_notify($1, $2)', [POSTGRES_CHANNEL, notification]);
    }
  } catch (error) {
    if (!connection.broken) await connection.query('ROLLBACK');
    throw error;
  }
  try {
    await connection.query('COMMIT');
  } catch (error) {
    if (error instanceof ConnectionLost || connection.broken) {
      throw unavailable('went away while it stored a change, and whether it did is not known', error);
    }
    throw error;
  }
  return result;
}

/** What was stored is stored, whatever becomes of the lock; it ends with its connection at the latest. */
async function unlock(connection: PostgresConnection, key: string): Promise<void> {
  if (connection.broken) return;
  try {
    await connection.query('SELECT pg_advisory_unlock($1::text::bigint)', [key]);
  } catch {
    await connection.close();
  }
}

/** A single question, within a transaction or by itself. */
export async function ask(
  connection: PostgresConnection,
  sql: string,
  values: readonly (string | number | Uint8Array | null)[],
): ReturnType<Session['all']> {
  checkValues(values);
  return (await connection.query(numberedPlaceholders(sql), values)).rows;
}

/** Advisory locks have numbers of 64 bits, with a sign. */
function lockKey(key: string): string {
  return createHash('sha256').update(`ingot:${key}`).digest().readBigInt64BE().toString();
}
