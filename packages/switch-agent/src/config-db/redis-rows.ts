import type { ConfigDb, Row } from './config-db.ts';

/** The hash that Redis keeps for a row: a list as `<field>@` joined by commas, a row without fields as `NULL` = `NULL`. */
export function toRedisFields(row: Row): Readonly<Record<string, string>> {
  const fields = Object.fromEntries(
    Object.entries(row).map(([field, value]) =>
      typeof value === 'string' ? [field, value] : [`${field}@`, value.join(',')],
    ),
  );
  return Object.keys(fields).length === 0 ? { NULL: 'NULL' } : fields;
}

/** The row behind a hash of Redis. */
export function fromRedisFields(fields: Readonly<Record<string, string>>): Row {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([field]) => field !== 'NULL')
      .map(([field, value]) => {
        if (!field.endsWith('@')) return [field, value];
        return [field.slice(0, -1), value === '' ? [] : value.split(',')];
      }),
  );
}

/**
 * The tables behind everything that Redis keeps, by the whole key. `separator` stands between table and key, and
 * between the parts of a key (`|` in CONFIG_DB). What has no separator is no row (`CONFIG_DB_INITIALIZED`).
 */
export function configDbOfRedis(
  hashes: Iterable<readonly [key: string, fields: Readonly<Record<string, string>>]>,
  separator: string,
): ConfigDb {
  const tables = new Map<string, Map<string, Row>>();
  for (const [wholeKey, fields] of hashes) {
    const at = wholeKey.indexOf(separator);
    if (at <= 0) continue;
    const table = wholeKey.slice(0, at);
    const rows = tables.get(table) ?? new Map<string, Row>();
    tables.set(table, rows);
    rows.set(wholeKey.slice(at + separator.length), fromRedisFields(fields));
  }
  return Object.fromEntries([...tables].map(([table, rows]) => [table, Object.fromEntries(rows)]));
}
