import { createHash } from 'node:crypto';
import type { Clock } from '@ingot/net';
import type { Session, SqlValue, TransactionOptions } from '../database.ts';
import { unavailable } from '../errors.ts';
import { createSession, type SessionDriver } from '../session.ts';
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

const BEGIN = 'BEGIN ISOLATION LEVEL SERIALIZABLE';
const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const NOTIFY = 'SELECT pg_notify($1, payload) FROM json_array_elements_text($2::text::json) AS payload';

type Work<T> = (session: Session) => Promise<T> | T;
/** Does something on a connection, as a transaction. */
type Attempt<T> = (connection: PostgresConnection) => Promise<T>;

export interface Transactions {
  readonly transaction: Session['transaction'];
  /** `Session.run`, as a transaction of its own. */
  readonly run: Session['run'];
}

/** Transactions that behave as if they ran one after the other: SERIALIZABLE, tried again when PostgreSQL asks for it. */
export function createTransactions(pool: Pool, guard: TransactionGuard, clock: Clock): Transactions {
  const lanes = createLanes(clock);

  const once = <T>(attempt: Attempt<T>, serialise: string | undefined): Promise<T> =>
    pool.use(async (connection) => {
      if (serialise === undefined) return attempt(connection);
      // A lock of the session, taken before the transaction begins: within, the state that it sees is that of the moment
      // when it asked for the lock, and not when it got it.
      const key = lockKey(serialise);
      await connection.query('SELECT pg_advisory_lock($1::text::bigint)', [key]);
      try {
        return await attempt(connection);
      } finally {
        await unlock(connection, key);
      }
    });

  const retrying = async <T>(attempt: Attempt<T>, serialise: string): Promise<T> => {
    const until = clock.monotonic() + MAX_TRYING_MS;
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(attempt, serialise);
      } catch (error) {
        if (!isConflict(error) || (tries >= MAX_TRIES && clock.monotonic() >= until)) throw error;
      }
    }
  };

  const untilDone = async <T>(attempt: Attempt<T>, serialise?: string): Promise<T> => {
    guard.refuseInside();
    try {
      if (serialise !== undefined) {
        // One connection waits for the lock, and not all of them.
        return await lanes.run(serialise, () => retrying(attempt, serialise));
      }
      try {
        return await once(attempt, undefined);
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      // Those that lost try again one after the other, or they would go on losing against each other; and so those of all
      // servers, since a server that has just won is the first to begin its next.
      return await lanes.run(DEFEATED, () => retrying(attempt, DEFEATED));
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    transaction: (work, options = {}) =>
      untilDone((connection) => inTransaction(connection, work, options, guard, clock), options.serialise),
    run: (sql, ...values) => untilDone((connection) => alone(connection, sql, values)),
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
  // The first question is sent along with it. What writes waits: if this failed, it would be stored by itself.
  const begun = connection.query(reading ? BEGIN_READING : BEGIN);
  begun.catch(() => undefined);
  const question: SessionDriver['all'] = async (sql, values) => {
    if (!/^\s*SELECT\b/i.test(sql)) await begun;
    return ask(connection, sql, values);
  };
  const session = createSession(
    options,
    {
      async run(sql, values) {
        await begun;
        checkValues(values);
        return (await connection.query(numberedPlaceholders(sql), values)).count;
      },
      get: async (sql, values) => (await question(sql, values))[0],
      all: question,
      async notify(channel, payload) {
        notifications.add(encodeNotification(channel, payload));
      },
    },
    clock,
  );
  let result: T;
  try {
    result = await guard.inside(() => session.use(work));
    await begun;
    if (notifications.size > 0) await connection.query(NOTIFY, [POSTGRES_CHANNEL, JSON.stringify([...notifications])]);
  } catch (error) {
    if (!connection.broken) await connection.query('ROLLBACK');
    throw error;
  }
  await committed(connection, connection.query('COMMIT'));
  return result;
}

async function committed(connection: PostgresConnection, answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof ConnectionLost || connection.broken) {
      throw unavailable('went away while it stored a change, and whether it did is not known', error);
    }
    throw error;
  }
}

/** A transaction of one statement, sent at once; answers the number of rows that were written. */
async function alone(connection: PostgresConnection, sql: string, values: readonly SqlValue[]): Promise<number> {
  checkValues(values);
  const begun = connection.query(BEGIN);
  const written = connection.query(numberedPlaceholders(sql), values);
  // After an error of the statement this undoes all, and succeeds.
  const end = committed(connection, connection.query('COMMIT'));
  const [beginning, statement, ending] = await Promise.allSettled([begun, written, end]);
  for (const one of [beginning, statement, ending]) if (one.status === 'rejected') throw one.reason;
  return statement.status === 'fulfilled' ? statement.value.count : 0;
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
  values: readonly SqlValue[],
): ReturnType<Session['all']> {
  checkValues(values);
  return (await connection.query(numberedPlaceholders(sql), values)).rows;
}

/** Advisory locks have numbers of 64 bits, with a sign. */
function lockKey(key: string): string {
  return createHash('sha256').update(`ingot:${key}`).digest().readBigInt64BE().toString();
}
