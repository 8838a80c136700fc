import type { Clock } from '@ingot/net';
import { unavailable } from '../errors.ts';
import type { PostgresConnection } from './connection.ts';
import { isFull } from './errors.ts';

/** A bounded number of connections, made when they are needed. */
export interface Pool {
  /** Runs `work` with a connection that nobody else uses meanwhile. */
  use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T>;
  /** Waits for those in use. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly connect: () => Promise<PostgresConnection>;
  readonly clock: Clock;
  readonly size: number;
}

const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 5_000;

export function createPool({ connect, clock, size }: PoolOptions): Pool {
  const idle: PostgresConnection[] = [];
  const waiting: { take(): void }[] = [];
  const drained = Promise.withResolvers<void>();
  let inUse = 0;
  let closed = false;

  /** Those who have a place, and wait for the connection of somebody else: the server gives no more. */
  const starved: ((connection: PostgresConnection) => void)[] = [];
  let lent = 0;

  /** Waits for a place, not for a connection: who has a place finds an idle connection or makes one. */
  const enter = async (): Promise<void> => {
    if (closed) throw unavailable('is closed');
    if (inUse < size) {
      inUse += 1;
      return;
    }
    if (waiting.length >= MAX_WAITING) throw unavailable(`has ${MAX_WAITING} requests waiting`);
    const turn = Promise.withResolvers<void>();
    const entry = { take: turn.resolve };
    waiting.push(entry);
    const timer = clock.setTimeout(() => {
      waiting.splice(waiting.indexOf(entry), 1);
      turn.reject(unavailable(`has had no connection free for ${MAX_WAIT_MS / 1000} s`));
    }, MAX_WAIT_MS);
    try {
      await turn.promise;
    } finally {
      timer.cancel();
    }
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next !== undefined) return next.take();
    inUse -= 1;
    if (closed && inUse === 0) drained.resolve();
  };
  const connectionOf = async (): Promise<PostgresConnection> => {
    for (let free = idle.pop(); free !== undefined; free = idle.pop()) if (!free.broken) return free;
    try {
      return await connect();
    } catch (error) {
      if (!isFull(error)) throw error;
      // Somebody may be done by now.
      const free = idle.pop();
      if (free !== undefined && !free.broken) return free;
      if (lent === 0) throw error;
      return given(error);
    }
  };
  const given = async (refusal: unknown): Promise<PostgresConnection> => {
    const turn = Promise.withResolvers<PostgresConnection>();
    starved.push(turn.resolve);
    const timer = clock.setTimeout(() => {
      starved.splice(starved.indexOf(turn.resolve), 1);
      turn.reject(refusal);
    }, MAX_WAIT_MS);
    try {
      return await turn.promise;
    } finally {
      timer.cancel();
    }
  };
  const giveBack = async (connection: PostgresConnection): Promise<void> => {
    if (connection.broken) return connection.close();
    const next = starved.shift();
    if (next === undefined) idle.push(connection);
    else next(connection);
  };

  return {
    async use(work) {
      await enter();
      try {
        const connection = await connectionOf();
        lent += 1;
        try {
          return await work(connection);
        } finally {
          lent -= 1;
          await giveBack(connection);
        }
      } finally {
        leave();
      }
    },
    async close() {
      if (!closed) {
        closed = true;
        if (inUse === 0) drained.resolve();
      }
      await drained.promise;
      await Promise.all(idle.splice(0).map((connection) => connection.close()));
    },
  };
}
