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

/** The tables behind the hashes of Redis: table → rest of the key → hash. */
export function configDbOfRedis(
  tables: ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>,
): ConfigDb {
  return Object.fromEntries(
    [...tables].map(([table, rows]) => [
      table,
      Object.fromEntries([...rows].map(([key, fields]) => [key, fromRedisFields(fields)])),
    ]),
  );
}
