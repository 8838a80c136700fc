import { readFile } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { createClient, type RedisClientType } from 'redis';
import type { DatabaseName, SonicDatabase } from './database-config.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

export interface SonicDbOptions {
  readonly name: DatabaseName;
  /** Where the database is; asked for each new connection, because a restart of SONiC's database may move it. */
  readonly locate: () => Promise<SonicDatabase>;
  readonly clock: Clock;
  /** How long one question may take, connecting included, milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/** Read access to one of SONiC's databases. */
export interface SonicDb {
  /** Whether the row exists. Throws SwitchAgentError. */
  exists(table: string, key: string): Promise<boolean>;
  /** Every row of a table, by the part of its key after the separator. Throws SwitchAgentError. */
  rows(table: string): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  close(): void;
}

interface Connection {
  readonly database: SonicDatabase;
  readonly client: Client;
}

type Client = RedisClientType<Record<string, never>, Record<string, never>, Record<string, never>, 2>;

// Redis needs no more than a few round trips for SONiC's largest PORT table (some 500 rows).
const SCAN_COUNT = 1000;

/**
 * Opens a database lazily and keeps the connection while it is healthy. After any failure it is thrown away and the
 * next question makes a fresh one, so that a Redis that was killed, restarted or hung is found again without a state
 * machine. The password file is read anew for each connection, because SONiC may rotate it.
 */
export function openSonicDb(options: SonicDbOptions): SonicDb {
  const timeoutMs = options.timeoutMs ?? 5000;
  let connection: Connection | undefined;
  let closed = false;
  let turn: Promise<unknown> = Promise.resolve();

  const discard = (): void => {
    if (connection?.client.isOpen === true) connection.client.destroy();
    connection = undefined;
  };

  const connect = async (isOver: () => boolean): Promise<Connection> => {
    const database = await options.locate();
    const password =
      database.passwordPath === undefined ? undefined : (await readFile(database.passwordPath, 'utf8')).trim();
    if (isOver()) throw dbError(options.name, 'is no longer asked');
    const client: Client = createClient({
      socket: { path: database.unixSocketPath, tls: false, reconnectStrategy: false, connectTimeout: timeoutMs },
      database: database.id,
      // RESP 3 needs Redis 6, and everything read here has the same shape in RESP 2.
      RESP: 2,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      ...(password === undefined || password === '' ? {} : { password }),
    });
    // Without a listener an 'error' event would end the process; the failure also reaches whoever is waiting.
    client.on('error', () => {});
    const fresh = { database, client };
    connection = fresh;
    await client.connect();
    return fresh;
  };

  /** One question at a time, so that a failure costs nobody else's connection. */
  const ask = <T>(question: (connected: Connection) => Promise<T>): Promise<T> => {
    const answer = turn.then(() => askNow(question));
    turn = answer.catch(() => {});
    return answer;
  };

  /** Runs `question` against a deadline; a failure costs the connection. */
  const askNow = async <T>(question: (connected: Connection) => Promise<T>): Promise<T> => {
    if (closed) throw dbError(options.name, 'was closed');
    let timedOut = false;
    const isOver = (): boolean => timedOut || closed;
    let expire: (reason: Error) => void = () => {};
    const deadline = new Promise<never>((_resolve, reject) => {
      expire = reject;
    });
    const timer = options.clock.setTimeout(() => {
      timedOut = true;
      expire(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const answer = async (): Promise<T> =>
      question(connection?.client.isReady === true ? connection : await connect(isOver));
    const pending = answer();
    // When the deadline wins, destroying the client rejects this one too; nobody waits for it any more.
    pending.catch(() => {});
    try {
      return await Promise.race([pending, deadline]);
    } catch (error) {
      const where =
        connection === undefined ? options.name : `${options.name} at ${connection.database.unixSocketPath}`;
      discard();
      if (error instanceof SwitchAgentError) throw error;
      const what = timedOut
        ? `does not answer (${reasonOf(error)}); is it stopped or overloaded?`
        : `failed: ${reasonOf(error)}`;
      throw dbError(where, what, error);
    } finally {
      timer.cancel();
    }
  };

  return {
    exists: (table, key) =>
      ask(async ({ database, client }) => (await client.exists(`${table}${database.separator}${key}`)) > 0),
    rows: (table) =>
      ask(async ({ database, client }) => {
        const prefix = `${table}${database.separator}`;
        const keys = new Set<string>();
        let cursor = '0';
        do {
          const page = await client.scan(cursor, { MATCH: `${escapeGlob(prefix)}*`, COUNT: SCAN_COUNT });
          cursor = page.cursor;
          for (const key of page.keys) keys.add(key);
        } while (cursor !== '0');
        const rows = new Map<string, Record<string, string>>();
        await Promise.all(
          [...keys].map(async (key) => {
            const row = await client.hGetAll(key);
            // A row deleted between SCAN and HGETALL reads as empty; SONiC stores an empty row as NULL=NULL.
            if (Object.keys(row).length > 0) rows.set(key.slice(prefix.length), { ...row });
          }),
        );
        return rows;
      }),
    close: () => {
      closed = true;
      discard();
    },
  };
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}

function dbError(where: string, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.Database, `${where} ${what}`, cause);
}
