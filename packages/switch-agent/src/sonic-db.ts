import { readFile } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { createClient, type RedisClientType } from 'redis';
import type { SonicDatabase } from './database-config.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

export interface SonicDbOptions {
  readonly clock: Clock;
  /** How long one question may take, connecting included, milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/** Read access to one of SONiC's databases. */
export interface SonicDb {
  readonly database: SonicDatabase;
  /** Whether the key exists. Throws SwitchAgentError `SWITCH_DATABASE`. */
  exists(key: string): Promise<boolean>;
  /** Every row of a table, by the part of its key after the separator. Throws SwitchAgentError `SWITCH_DATABASE`. */
  rows(table: string): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  close(): void;
}

type Client = RedisClientType<Record<string, never>, Record<string, never>, Record<string, never>, 2>;

// Redis needs no more than a few round trips for SONiC's largest PORT table (some 500 rows).
const SCAN_COUNT = 1000;

/**
 * Opens a database lazily and keeps the connection while it is healthy. After any failure it is thrown away and the
 * next question makes a fresh one, so that a Redis that was killed, restarted or hung is found again without a state
 * machine. The password file is read anew for each connection, because SONiC may rotate it.
 */
export function openSonicDb(database: SonicDatabase, options: SonicDbOptions): SonicDb {
  const timeoutMs = options.timeoutMs ?? 5000;
  let client: Client | undefined;
  let closed = false;

  const discard = (used: Client): void => {
    if (client === used) client = undefined;
    used.destroy();
  };

  const connect = async (): Promise<Client> => {
    const password = database.passwordPath === undefined ? undefined : (await readFile(database.passwordPath, 'utf8')).trim();
    const fresh: Client = createClient({
      socket: { path: database.unixSocketPath, tls: false, reconnectStrategy: false, connectTimeout: timeoutMs },
      database: database.id,
      // RESP 3 needs Redis 6, and everything read here has the same shape in RESP 2.
      RESP: 2,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      ...(password === undefined || password === '' ? {} : { password }),
    });
    // Without a listener an 'error' event would end the process; the failure also reaches whoever is waiting.
    fresh.on('error', () => {
      if (client === fresh) client = undefined;
    });
    client = fresh;
    await fresh.connect();
    return fresh;
  };

  /** Runs `question` against a deadline; a failure costs the connection. */
  const ask = async <T>(question: (connected: Client) => Promise<T>): Promise<T> => {
    if (closed) throw dbError(database, 'was closed');
    let timedOut = false;
    let inUse: Client | undefined;
    let expire: (reason: Error) => void = () => {};
    const deadline = new Promise<never>((_resolve, reject) => {
      expire = reject;
    });
    const timer = options.clock.setTimeout(() => {
      timedOut = true;
      expire(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const answer = async (): Promise<T> => {
      const ready = client?.isReady === true ? client : await connect();
      inUse = ready;
      return await question(ready);
    };
    const pending = answer();
    // When the deadline wins, destroying the client rejects this one too; nobody waits for it any more.
    pending.catch(() => {});
    try {
      return await Promise.race([pending, deadline]);
    } catch (error) {
      const broken = inUse ?? client;
      if (broken?.isOpen === true) discard(broken);
      else client = undefined;
      const what = timedOut ? `does not answer (${reasonOf(error)}); is it stopped or overloaded?` : `failed: ${reasonOf(error)}`;
      throw dbError(database, what, error);
    } finally {
      timer.cancel();
    }
  };

  return {
    database,
    exists: (key) => ask(async (connected) => (await connected.exists(key)) > 0),
    rows: (table) =>
      ask(async (connected) => {
        const prefix = `${table}${database.separator}`;
        const keys = new Set<string>();
        let cursor = '0';
        do {
          const page = await connected.scan(cursor, { MATCH: `${escapeGlob(prefix)}*`, COUNT: SCAN_COUNT });
          cursor = page.cursor;
          for (const key of page.keys) keys.add(key);
        } while (cursor !== '0');
        const rows = new Map<string, Record<string, string>>();
        await Promise.all(
          [...keys].map(async (key) => {
            const row = await connected.hGetAll(key);
            // A row deleted between SCAN and HGETALL reads as empty; SONiC stores an empty row as NULL=NULL.
            if (Object.keys(row).length > 0) rows.set(key.slice(prefix.length), { ...row });
          }),
        );
        return rows;
      }),
    close: () => {
      closed = true;
      if (client?.isOpen === true) discard(client);
      client = undefined;
    },
  };
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}

function dbError(database: SonicDatabase, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.Database, `${database.name} at ${database.unixSocketPath} ${what}`, cause);
}
