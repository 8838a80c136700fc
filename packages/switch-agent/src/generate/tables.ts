import type { ConfigDb, Row } from '../config-db/config-db.ts';

/** A configuration in the making. */
export interface Tables {
  /** Adds fields to a row, and the row when it is not there yet. Fields that are undefined are left out. */
  set(table: string, key: string, fields?: Readonly<Record<string, string | readonly string[] | undefined>>): void;
  has(table: string, key: string): boolean;
  toConfigDb(): ConfigDb;
}

export function createTables(): Tables {
  const tables = new Map<string, Map<string, Row>>();
  return {
    set: (table, key, fields = {}) => {
      const rows = tables.get(table) ?? new Map<string, Row>();
      tables.set(table, rows);
      const given: Record<string, string | readonly string[]> = { ...rows.get(key) };
      for (const [field, value] of Object.entries(fields)) if (value !== undefined) given[field] = value;
      rows.set(key, given);
    },
    has: (table, key) => tables.get(table)?.has(key) === true,
    toConfigDb: () => Object.fromEntries([...tables].map(([table, rows]) => [table, Object.fromEntries(rows)])),
  };
}
