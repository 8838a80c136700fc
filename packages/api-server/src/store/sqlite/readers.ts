import { unavailable } from '../errors.ts';
import type { Connection } from './statements.ts';

/** Connections that only read: what is committed, without waiting for the writer. */
export interface Readers {
  /** For single statements. */
  readonly shared: Connection;
  /** Runs `work` on a connection that nobody else uses meanwhile, and on one state of the database. */
  snapshot<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Waits for those under way. */
  close(): Promise<void>;
}

const MAX_SNAPSHOTS = 8;
const MAX_WAITING = 1_000;

export function createReaders(open: () => Connection): Readers {
  const shared = open();
  const idle: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  let opened = 0;
  let closed = false;

  const acquire = (): Promise<Connection> | Connection => {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (opened < MAX_SNAPSHOTS) {
      const connection = open();
      opened += 1;
      return connection;
    }
    if (waiting.length >= MAX_WAITING) throw unavailable(`has ${MAX_WAITING} readers waiting`);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (connection: Connection): void => {
    const next = waiting.shift();
    if (next !== undefined) next(connection);
    else if (closed) connection.close();
    else idle.push(connection);
  };

  const running = new Set<Promise<unknown>>();
  return {
    shared,
    async snapshot(work) {
      if (closed) throw unavailable('is closed');
      const ended = Promise.withResolvers<void>();
      running.add(ended.promise);
      try {
        return await onOwnConnection(work);
      } finally {
        running.delete(ended.promise);
        ended.resolve();
      }
    },
    async close() {
      closed = true;
      await Promise.all(running);
      shared.close();
      for (const connection of idle.splice(0)) connection.close();
    },
  };

  async function onOwnConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await acquire();
    try {
      connection.sqlite.exec('BEGIN');
      return await work(connection);
    } finally {
      // Nothing was written: how a reading transaction ends makes no difference.
      if (connection.sqlite.isTransaction) connection.sqlite.exec('ROLLBACK');
      release(connection);
    }
  }
}
