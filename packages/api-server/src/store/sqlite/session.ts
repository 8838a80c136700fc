import type { Clock } from '@ingot/net';
import type { SqlValue, TransactionOptions } from '../database.ts';
import { createSession, type OpenSession } from '../session.ts';
import type { Connection } from './statements.ts';

/** A session on a connection in which a transaction was begun. */
export function openSession(
  connection: Connection,
  options: TransactionOptions,
  clock: Clock,
  notify?: (channel: string, payload: string) => void,
): OpenSession {
  const driver = {
    run: async (sql: string, values: readonly SqlValue[]) => connection.run(sql, values),
    get: async (sql: string, values: readonly SqlValue[]) => connection.get(sql, values),
    all: async (sql: string, values: readonly SqlValue[]) => connection.all(sql, values),
    notify: async (channel: string, payload: string) => notify?.(channel, payload),
  };
  return createSession(options, driver, clock);
}
