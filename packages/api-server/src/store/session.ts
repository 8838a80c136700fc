import type { Clock } from '@ingot/net';
import type { Row, Session, SqlValue, TransactionOptions } from './database.ts';
import { unavailable } from './errors.ts';

/** Statements of an open transaction, as the drivers run them. */
export interface SessionDriver {
  run(sql: string, values: readonly SqlValue[]): Promise<number>;
  get(sql: string, values: readonly SqlValue[]): Promise<Row | undefined>;
  all(sql: string, values: readonly SqlValue[]): Promise<Row[]>;
  notify(channel: string, payload: string): Promise<void>;
}

/** An open transaction. */
export interface OpenSession {
  /** Runs `work`; throws if anything in it has failed, caught or not. Good for one use. */
  use<T>(work: (session: Session) => Promise<T> | T): Promise<T>;
}

/** A transaction only reads and writes; one that takes this long waits for something that never comes. */
const MAX_WORK_MS = 30_000;

/** What sessions of both databases have in common, so that what works on one works on the other. */
export function createSession(options: TransactionOptions, driver: SessionDriver, clock: Clock): OpenSession {
  const mode = options.mode ?? 'write';
  let open = true;
  let failure: { readonly error: unknown } | undefined;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!open) throw new TypeError('this transaction has ended: wait for everything that belongs to it');
    // PostgreSQL refuses all that comes after an error.
    if (failure !== undefined) throw failure.error;
    try {
      return await work();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  };
  const writing = <T>(work: () => Promise<T>): Promise<T> =>
    step(() => {
      if (mode === 'read') throw new TypeError('this transaction only reads: open one that writes');
      return work();
    });
  const session: Session = {
    run: (sql, ...values) => writing(() => driver.run(sql, values)),
    get: (sql, ...values) => step(() => driver.get(sql, values)),
    all: (sql, ...values) => step(() => driver.all(sql, values)),
    notify: (channel, payload) => writing(() => driver.notify(channel, payload)),
    transaction: (work, inner = {}) =>
      step(async () => {
        if (mode === 'read' && inner.mode !== 'read') throw new TypeError('a transaction that only reads is open here');
        if (inner.serialise !== undefined && inner.serialise !== options.serialise) {
          throw new TypeError(`open the outer transaction with the key "${inner.serialise}": it is too late here`);
        }
        return work(session);
      }),
  };
  return {
    async use(work) {
      const late = Promise.withResolvers<never>();
      const { withinMs = MAX_WORK_MS } = options;
      const timer = clock.setTimeout(
        () => late.reject(unavailable(`has waited ${withinMs / 1000} s for the end of a transaction`)),
        withinMs,
      );
      try {
        const result = await Promise.race([Promise.try(work, session), late.promise]);
        if (failure !== undefined) throw failure.error;
        return result;
      } finally {
        open = false;
        timer.cancel();
      }
    },
  };
}
