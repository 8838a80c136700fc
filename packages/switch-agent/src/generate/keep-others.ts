import type { ConfigDb } from '../config-db/config-db.ts';

/** Rows of these hold more than the YAML speaks of: a BGP AS, a buffer model, queues of a port. */
const SHARED_ROWS = new Set(['DEVICE_METADATA', 'PORT']);

/**
 * `before` with the tables of `generated` in place of its own. Tables that the YAML makes nothing of stay, and so do
 * the other fields of rows that it shares with others.
 */
export function keepOthers(before: ConfigDb, generated: ConfigDb): ConfigDb {
  const tables: Record<string, ConfigDb[string]> = { ...before };
  for (const [table, rows] of Object.entries(generated)) {
    tables[table] = SHARED_ROWS.has(table)
      ? Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, { ...before[table]?.[key], ...row }]))
      : rows;
  }
  return tables;
}
