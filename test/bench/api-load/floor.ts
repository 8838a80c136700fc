import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connectPostgres } from '../../../packages/api-server/src/store/postgres/connection.ts';
import { parsePostgresUrl } from '../../../packages/api-server/src/store/postgres/address.ts';
import { percentile } from './latencies.ts';

/** What it costs to write rows and do nothing else. Milliseconds. */
export interface Floor {
  readonly writes: number;
  /** What it would be for all, where fewer were written. */
  readonly totalMs: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of this process for each. */
  readonly cpuEach: number;
}

/** Rows that are written at most; beyond, time goes by and nothing is learnt. */
const MOST = 20_000;
const TABLE = 'CREATE TABLE floor (id TEXT PRIMARY KEY, body TEXT NOT NULL)';
const UPSERT = 'INSERT INTO floor (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body';

/** Writes rows of these sizes to SQLite, one after the other, each in a transaction of its own that waits for the disk. */
export async function sqliteFloor(directory: string, sizes: readonly number[]): Promise<Floor> {
  using sqlite = new DatabaseSync(join(directory, 'floor.sqlite'));
  sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; DROP TABLE IF EXISTS floor; ${TABLE}`);
  const statement = sqlite.prepare(UPSERT.replaceAll(/\$\d/g, '?'));
  return await measure(sizes, (id, body) => void statement.run(id, body));
}

/** The same on PostgreSQL, over one connection. */
export async function postgresFloor(url: string, sizes: readonly number[]): Promise<Floor> {
  const connection = await connectPostgres(parsePostgresUrl(url));
  try {
    await connection.query('DROP TABLE IF EXISTS floor');
    await connection.query(TABLE);
    return await measure(sizes, async (id, body) => void (await connection.query(UPSERT, [id, body])));
  } finally {
    await connection.close();
  }
}

async function measure(
  sizes: readonly number[],
  write: (id: string, body: string) => Promise<void> | void,
): Promise<Floor> {
  // Evenly from all, so that each kind of call has its share.
  const step = Math.max(1, sizes.length / MOST);
  const taken = Array.from(
    { length: Math.floor(sizes.length / step) },
    (_, index) => sizes[Math.floor(index * step)] ?? 0,
  );
  const times: number[] = [];
  const before = process.cpuUsage();
  const startedAt = performance.now();
  for (const [index, size] of taken.entries()) {
    const from = performance.now();
    await write(`row-${index}`, 'x'.repeat(size));
    times.push(performance.now() - from);
  }
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  const sorted = times.toSorted((a, b) => a - b);
  return {
    writes: sizes.length,
    totalMs: (tookMs * sizes.length) / Math.max(1, taken.length),
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    cpuEach: (user + system) / 1000 / Math.max(1, taken.length),
  };
}
