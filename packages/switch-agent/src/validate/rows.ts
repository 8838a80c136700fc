import type { ConfigDb, Row } from '../config-db/config-db.ts';

/** The rows of a table; none when it is not there. Safe with names that every object has, as `constructor`. */
export function rowsOf(configDb: ConfigDb, table: string): ReadonlyArray<readonly [key: string, row: Row]> {
  return Object.hasOwn(configDb, table) ? Object.entries(configDb[table] ?? {}) : [];
}

export function hasRow(configDb: ConfigDb, table: string, key: string): boolean {
  return Object.hasOwn(configDb, table) && Object.hasOwn(configDb[table] ?? {}, key);
}

/** A field of one text; undefined when it is not there, or a list. */
export function textOf(row: Row, field: string): string | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}
