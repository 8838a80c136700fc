import type { Clock } from '@ingot/net';
import postgres from 'postgres';
import type { Row, SqlValue } from '../database.ts';
import type { PostgresAddress } from './address.ts';

/** One connection to the server. Once broken it stays so. */
export interface PostgresConnection {
  readonly broken: boolean;
  /** Answers the rows, and how many were written. */
  query(sql: string, values?: readonly SqlValue[]): Promise<{ readonly rows: Row[]; readonly count: number }>;
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>;
  close(): Promise<void>;
}

// Whole seconds are the unit of the library.
const CONNECT_TIMEOUT_S = 5;
/** No question of this program takes long; what does is a lock that somebody holds, or a server in trouble. */
const STATEMENT_TIMEOUT_MS = 20_000;
const LOCK_TIMEOUT_MS = 10_000;
/** Longer than the program itself lets a transaction take: for what a stopped process leaves behind. */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * The server ends what takes longer than `STATEMENT_TIMEOUT_MS` by itself, and says so. One that says nothing is stopped, or
 * gone without a word, which TCP finds out after a quarter of an hour.
 */
const SILENCE_MS = 25_000;

/** What a connection that breaks makes of its questions. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export interface ConnectionOptions {
  /** Measures the silence of the server. Default: each answer is waited for, however long it takes. */
  readonly clock?: Clock;
  readonly onNotification?: (payload: string) => void;
}

/**
 * Connects. The library's own pool is not used: it sends on connections that have broken meanwhile, and waits for ever
 * for the answer. Here each connection is a pool of one, which is thrown away when it breaks.
 */
export async function connectPostgres(
  address: PostgresAddress & { readonly password?: string },
  { clock, onNotification }: ConnectionOptions = {},
): Promise<PostgresConnection> {
  let lost: ConnectionLost | undefined;
  const end = Promise.withResolvers<void>();
  // Not one promise for all to race against: it would keep each answer in memory for as long as the connection lasts.
  const asking = new Set<(error: ConnectionLost) => void>();
  const breakOff = (cause?: unknown): void => {
    lost ??= new ConnectionLost('the connection to the database was lost', { cause });
    for (const reject of asking) reject(lost);
    end.resolve();
  };
  const { tls, path, host, port, user, password, database } = address;
  const options = {
    ...(path === undefined ? { host: host ?? '', port: port ?? 0 } : { path }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    database,
    ssl: tls,
    max: 1,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_S,
    fetch_types: false,
    onnotice: () => undefined,
    onclose: () => breakOff(),
    onnotify: (_channel: string, payload: string) => onNotification?.(payload),
    types: {
      // Times in milliseconds fit into a number; a larger one would be an error of ours.
      bigint: { to: 20, from: [20], serialize: String, parse: exactNumber },
    },
    connection: {
      application_name: 'ingot-api-server',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
    },
  };
  const sql = postgres(options);
  const query: PostgresConnection['query'] = async (text, values = []) => {
    if (lost !== undefined) throw lost;
    const { promise, resolve, reject } = Promise.withResolvers<postgres.RowList<postgres.Row[]>>();
    asking.add(reject);
    sql.unsafe(text, [...values], { prepare: values.length > 0 }).then(resolve, reject);
    const giveUp = (): void => breakOff(new Error(`no answer within ${SILENCE_MS / 1000} s`));
    const silence = clock?.setTimeout(giveUp, SILENCE_MS);
    try {
      const result = await promise;
      return { rows: [...result], count: result.count };
    } catch (error) {
      // Anything but a refusal by the server itself leaves it open what state the connection is in.
      if (!(error instanceof postgres.PostgresError) || endsConnection(error.code)) breakOff(error);
      throw error;
    } finally {
      silence?.cancel();
      asking.delete(reject);
    }
  };
  const connection: PostgresConnection = {
    get broken() {
      return lost !== undefined;
    },
    gone: end.promise,
    query,
    async close() {
      await sql.end({ timeout: 0 });
      breakOff();
    },
  };
  try {
    await query('SELECT 1');
    return connection;
  } catch (error) {
    await connection.close().catch(() => undefined);
    throw error;
  }
}

/** Classes 57P01 to 57P03: the server shuts down, crashes or starts. */
function endsConnection(code: string): boolean {
  return code.startsWith('57P') || code === '25P03';
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds ${text}, which is too large a number`);
  return value;
}
