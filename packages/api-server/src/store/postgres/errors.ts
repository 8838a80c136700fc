import { ApiError, Code } from '@ingot/api';
import postgres from 'postgres';
import { aborted, unavailable, UniqueViolation, words } from '../errors.ts';
import { ConnectionLost } from './connection.ts';

// https://www.postgresql.org/docs/15/errcodes-appendix.html
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const UNIQUE_VIOLATION = '23505';
const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
const IDLE_IN_TRANSACTION = '25P03';
const READ_ONLY_SQL_TRANSACTION = '25006';
const TOO_MANY_CONNECTIONS = '53300';

/** Whether the transaction did nothing wrong but came too late, and may be tried again. */
export function isConflict(error: unknown): boolean {
  const code = sqlState(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** Whether the server has no more connections to give; those that there are go on. */
export function isFull(error: unknown): boolean {
  return sqlState(error) === TOO_MANY_CONNECTIONS;
}

/** What an error of PostgreSQL means to whoever called. */
export function translated(error: unknown): unknown {
  if (error instanceof ConnectionLost) return unavailable(`is away (${words(error.cause ?? error)})`, error);
  const code = sqlState(error);
  if (code === undefined) return isNetworkError(error) ? unavailable(`is away (${words(error)})`, error) : error;
  if (code === UNIQUE_VIOLATION) return new UniqueViolation(words(error), { cause: error });
  if (code === LOCK_NOT_AVAILABLE || isConflict(error)) {
    return aborted('too many change the same things at once: try again', error);
  }
  if (code === QUERY_CANCELED) return unavailable('takes too long', error);
  if (code === IDLE_IN_TRANSACTION || code.startsWith('57P') || code.startsWith('08')) {
    return unavailable(`is away (${words(error)})`, error);
  }
  // Behind a failover the old primary may still be there, and be the standby.
  if (code === READ_ONLY_SQL_TRANSACTION) return unavailable('is read-only: is this its primary?', error);
  if (code === TOO_MANY_CONNECTIONS) {
    return unavailable(
      `has no connection left (${words(error)}); raise its max_connections, or stop what takes them`,
      error,
    );
  }
  if (code.startsWith('53')) {
    return new ApiError(Code.ResourceExhausted, `the database has reached a limit of its own: ${words(error)}`, {
      cause: error,
    });
  }
  return error;
}

function sqlState(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  // Node's (ECONNREFUSED, ENOTFOUND, certificates) and the library's (CONNECT_TIMEOUT, CONNECTION_CLOSED).
  return /^(?:E[A-Z_]+|CONNECT\w*|CERT_\w+|UNABLE_TO_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT\w*)$/.test(
    error.code,
  );
}
