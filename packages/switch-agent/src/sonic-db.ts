import { readFile } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { MultiErrorReply } from 'redis';
import type { DatabaseName, SonicDatabase } from './database-config.ts';
import { redisClient, type RedisConnection } from './redis-client.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
import { type RowWrite, WRITE_SCRIPT, writeArgument } from './sonic-write.ts';

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

/** What is asked of a database at once. */
export interface SnapshotRequest {
  /** Keys with a table: those that fit Redis's glob and, by table and the rest of the key, are wanted. Default: none. */
  readonly rows?: { readonly match: string; readonly wanted: (table: string, key: string) => boolean };
  /** Hashes without a table, by their whole key. */
  readonly hashes?: readonly string[];
  /** Keys of any kind of which only the existence counts. */
  readonly flags?: readonly string[];
}

/** Rows as they were at one moment. */
export interface Snapshot {
  /** Table → rest of the key → row. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>;
  readonly hashes: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly flags: ReadonlySet<string>;
}

/** Access to one of SONiC's databases for whoever changes it. Everything throws SwitchAgentError. */
export interface SonicStore extends SonicDb {
  /** Reads rows of several tables in one transaction. A row that is no hash is left out. */
  snapshot(request: SnapshotRequest): Promise<Snapshot>;
  /**
   * Writes groups of rows, each group whole or not at all: only if every row of it still is what it was seen to be.
   * Answers with the key that had changed, for each group that was not written for that reason.
   */
  write(groups: ReadonlyArray<readonly RowWrite[]>): Promise<ReadonlyArray<string | undefined>>;
  /** Questions that Redis has been asked so far, each with its answer: pipelined commands count as one. */
  readonly roundTrips: number;
}

interface Connection {
  readonly database: SonicDatabase;
  readonly client: RedisConnection;
}

// Redis needs no more than a few round trips for SONiC's largest PORT table (some 500 rows).
const SCAN_COUNT = 1000;
// A snapshot looks at all keys, of which CONFIG_DB has some 10,000 on a large switch: a few milliseconds of Redis each.
const SNAPSHOT_SCAN_COUNT = 5000;
// Redis runs a script to its end before it answers anybody else.
const GROUPS_PER_SCRIPT = 64;

/**
 * Opens a database lazily and keeps the connection while it is healthy. After any failure it is thrown away and the
 * next question makes a fresh one, so that a Redis that was killed, restarted or hung is found again without a state
 * machine. The password file is read anew for each connection, because SONiC may rotate it.
 */
export function openSonicDb(options: SonicDbOptions): SonicStore {
  const timeoutMs = options.timeoutMs ?? 5000;
  let connection: Connection | undefined;
  let closed = false;
  let turn: Promise<unknown> = Promise.resolve();
  let roundTrips = 0;

  const discard = (): void => {
    if (connection?.client.isOpen === true) connection.client.destroy();
    connection = undefined;
  };

  const connect = async (isOver: () => boolean): Promise<Connection> => {
    const database = await options.locate();
    const password =
      database.passwordPath === undefined ? undefined : (await readFile(database.passwordPath, 'utf8')).trim();
    if (isOver()) throw dbError(options.name, 'is no longer asked');
    const client = redisClient({
      unixSocketPath: database.unixSocketPath,
      database: database.id,
      connectTimeout: timeoutMs,
      password,
    });
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

  const scan = async (client: RedisConnection, match: string, count: number): Promise<ReadonlySet<string>> => {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      roundTrips += 1;
      const page = await client.scan(cursor, { MATCH: match, COUNT: count });
      cursor = page.cursor;
      for (const key of page.keys) keys.add(key);
    } while (cursor !== '0');
    return keys;
  };

  return {
    get roundTrips() {
      return roundTrips;
    },
    exists: (table, key) =>
      ask(async ({ database, client }) => {
        roundTrips += 1;
        return (await client.exists(`${table}${database.separator}${key}`)) > 0;
      }),
    rows: (table) =>
      ask(async ({ database, client }) => {
        const prefix = `${table}${database.separator}`;
        const keys = await scan(client, `${escapeGlob(prefix)}*`, SCAN_COUNT);
        roundTrips += 1;
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
    snapshot: ({ rows: wantedRows, hashes = [], flags = [] }) =>
      ask(async ({ database, client }) => {
        const keys: Array<readonly [table: string, rest: string, key: string]> = [];
        const found = wantedRows === undefined ? [] : await scan(client, wantedRows.match, SNAPSHOT_SCAN_COUNT);
        for (const key of found) {
          const end = key.indexOf(database.separator);
          const table = key.slice(0, end);
          const rest = key.slice(end + database.separator.length);
          if (end > 0 && wantedRows?.wanted(table, rest) === true) keys.push([table, rest, key]);
        }
        const multi = client.multi();
        for (const flag of flags) multi.exists(flag);
        for (const hash of hashes) multi.hGetAll(hash);
        for (const [, , key] of keys) multi.hGetAll(key);
        roundTrips += 1;
        const replies = await multi.exec().catch(repliesOf);
        const hashAt = (at: number): Record<string, string> => hashOf(replies[at]);
        const tables = new Map<string, Map<string, Readonly<Record<string, string>>>>();
        keys.forEach(([table, rest], index) => {
          const row = hashAt(flags.length + hashes.length + index);
          if (Object.keys(row).length === 0) return;
          const rows = tables.get(table) ?? new Map<string, Readonly<Record<string, string>>>();
          tables.set(table, rows.set(rest, row));
        });
        return {
          tables,
          hashes: new Map(hashes.map((hash, index) => [hash, hashAt(flags.length + index)])),
          flags: new Set(flags.filter((_, index) => Number(replies[index]) > 0)),
        };
      }),
    write: async (groups) => {
      const conflicts: Array<string | undefined> = [];
      for (let at = 0; at < groups.length; at += GROUPS_PER_SCRIPT) {
        const part = groups.slice(at, at + GROUPS_PER_SCRIPT);
        const answers = await ask(async ({ database, client }) => {
          roundTrips += 1;
          return client.eval(WRITE_SCRIPT, { arguments: [writeArgument(part, database.separator)] });
        });
        const keys = Array.isArray(answers) ? answers.map(String) : [];
        conflicts.push(...part.map((_, index) => (keys[index] === '' ? undefined : (keys[index] ?? 'an answer'))));
      }
      return conflicts;
    },
    close: () => {
      closed = true;
      discard();
    },
  };
}

/** The answers of a transaction in which some commands failed: a key that is no hash. */
function repliesOf(error: unknown): readonly unknown[] {
  if (error instanceof MultiErrorReply) return error.replies;
  throw error;
}

function hashOf(reply: unknown): Record<string, string> {
  if (typeof reply !== 'object' || reply === null || reply instanceof Error) return {};
  return Object.fromEntries(Object.entries(reply).map(([field, value]) => [field, String(value)]));
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}

function dbError(where: string, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.Database, `${where} ${what}`, cause);
}
