import type { ConfigDb } from '../config-db/config-db.ts';

/**
 * What a switch has after a reload of `configDb`: SONiC puts `init_cfg.json` below it, field by field
 * (`sonic-cfggen -j init_cfg.json -j config_db.json --write-to-db`).
 */
export function afterReload(init: ConfigDb, configDb: ConfigDb): ConfigDb {
  const tables: Record<string, ConfigDb[string]> = {};
  for (const table of new Set([...Object.keys(init), ...Object.keys(configDb)])) {
    const [below, above] = [init[table] ?? {}, configDb[table] ?? {}];
    const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
    tables[table] = Object.fromEntries([...keys].map((key) => [key, { ...below[key], ...above[key] }]));
  }
  return tables;
}

/** As `configDb`, with the version of the schema that `before` has: SONiC's migrator owns it. */
export function withVersionOf(before: ConfigDb, configDb: ConfigDb): ConfigDb {
  return before['VERSIONS'] === undefined ? configDb : { ...configDb, VERSIONS: before['VERSIONS'] };
}
