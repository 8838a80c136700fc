import { setImmediate } from 'node:timers/promises';
import type { Row, Sql, SqlValue } from '../store/database.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { quoted, type Table } from './tables.ts';

/**
 * The content of a backup as lines of JSON: `{"table":…,"columns":[…]}`, then its rows as arrays, and at the very end
 * `{"rows":…}`, their number. Bytes are `{"base64":…}`.
 */
export type Line =
  | { readonly kind: 'table'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'row'; readonly values: readonly SqlValue[] }
  | { readonly kind: 'end'; readonly rows: number };

const ROWS_AT_ONCE = 500;
/** Many times the largest machine; a small file may unpack to anything. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** All rows of these tables, as text, some lines at a time. */
export async function* exportRows(sql: Sql, tables: readonly Table[]): AsyncGenerator<string> {
  let count = 0;
  for (const table of tables) {
    yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
    for await (const rows of pages(sql, table)) {
      count += rows.length;
      yield rows.map((row) => `${JSON.stringify(table.columns.map((column) => written(row[column])))}\n`).join('');
    }
  }
  yield `${JSON.stringify({ rows: count })}\n`;
}

/** By the primary key, so that a page costs the same wherever it is. */
async function* pages(sql: Sql, table: Table): AsyncGenerator<Row[]> {
  const key = table.key.map(quoted).join(', ');
  const from = `SELECT * FROM ${quoted(table.name)}`;
  const rest = `ORDER BY ${key} LIMIT ${ROWS_AT_ONCE}`;
  let after: SqlValue[] | undefined;
  for (;;) {
    const rows: Row[] =
      after === undefined
        ? await sql.all(`${from} ${rest}`)
        : await sql.all(`${from} WHERE (${key}) > (${after.map(() => '?').join(', ')}) ${rest}`, ...after);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = table.key.map((column) => valueOf(last[column]));
    // A server goes on answering while its database is copied.
    await setImmediate();
  }
}

function written(value: unknown): string | number | null | { readonly base64: string } {
  const known = valueOf(value);
  return known instanceof Uint8Array ? { base64: Buffer.from(known).toString('base64') } : known;
}

function valueOf(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array)
    return value;
  throw new TypeError(`the database holds a ${typeof value}, which no column here is`);
}

/** Reads the lines that `exportRows` has written; throws a `BackupError` for anything else. */
export async function* importLines(content: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending = '';
  for await (const bytes of content) {
    pending += decoder.decode(bytes, { stream: true });
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > MAX_LINE_BYTES) throw unreadable();
    for (const line of lines) yield parseLine(line);
  }
  if (pending !== '') throw unreadable();
}

function parseLine(line: string): Line {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw unreadable();
  }
  if (Array.isArray(parsed)) return { kind: 'row', values: parsed.map(readValue) };
  if (typeof parsed !== 'object' || parsed === null) throw unreadable();
  const { table, columns, rows }: { table?: unknown; columns?: unknown; rows?: unknown } = parsed;
  if (typeof rows === 'number') return { kind: 'end', rows };
  if (typeof table !== 'string' || !Array.isArray(columns)) throw unreadable();
  return { kind: 'table', table, columns: columns.map(String) };
}

function readValue(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'object' && 'base64' in value && typeof value.base64 === 'string') {
    return Buffer.from(value.base64, 'base64');
  }
  throw unreadable();
}

function unreadable(): BackupError {
  return new BackupError(
    BackupErrorCode.Damaged,
    'the backup cannot be used: its content is none of ours; take another one',
  );
}
