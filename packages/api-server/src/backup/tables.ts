import { Dialect, type Sql } from '../store/database.ts';
import { migrations } from '../store/migrations/index.ts';
import { scriptOf } from '../store/migrations/migration.ts';
import { number, text } from '../store/row.ts';

/** A table as it is, whatever version of the program has made it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
  /** Tables that must be filled before. */
  readonly after: readonly string[];
}

/** Nobody waits and nobody leads where a backup is restored. */
const LEFT_OUT: ReadonlySet<string> = new Set(['waiting', 'lease']);
/** Somebody else may have tables in the same PostgreSQL database. */
const OWN: ReadonlySet<string> = new Set(
  migrations.flatMap((migration) =>
    [...scriptOf(migration, Dialect.Sqlite).matchAll(/CREATE TABLE (\w+)/g)].map(([, name = '']) => name),
  ),
);

/** Our tables of a database, those that others refer to first. */
export async function tablesOf(sql: Sql, dialect: Dialect): Promise<Table[]> {
  const found = await (dialect === 'sqlite' ? sqliteTables(sql) : postgresTables(sql));
  return inOrder(found.filter(({ name }) => OWN.has(name) && !LEFT_OUT.has(name)));
}

async function sqliteTables(sql: Sql): Promise<Table[]> {
  const names = await sql.all(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
  );
  const tables: Table[] = [];
  for (const row of names) {
    const name = text(row, 'name');
    const columns = await sql.all('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid', name);
    const references = await sql.all('SELECT DISTINCT "table" AS target FROM pragma_foreign_key_list(?)', name);
    tables.push({
      name,
      columns: columns.map((column) => text(column, 'name')),
      key: columns
        .filter((column) => number(column, 'pk') > 0)
        .toSorted((one, other) => number(one, 'pk') - number(other, 'pk'))
        .map((column) => text(column, 'name')),
      after: references.map((reference) => text(reference, 'target')),
    });
  }
  return tables;
}

async function postgresTables(sql: Sql): Promise<Table[]> {
  const columns = await sql.all(
    `SELECT t.table_name::text AS name, c.column_name::text AS col
     FROM information_schema.tables t JOIN information_schema.columns c
       ON c.table_schema = t.table_schema AND c.table_name = t.table_name
     WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
     ORDER BY t.table_name, c.ordinal_position`,
  );
  const keys = await sql.all(
    `SELECT c.conrelid::regclass::text AS name, a.attname::text AS col
     FROM pg_constraint c JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place) ON true
       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
     WHERE c.contype = 'p' AND c.connamespace = current_schema()::regnamespace ORDER BY c.conrelid, k.place`,
  );
  const references = await sql.all(
    `SELECT c.conrelid::regclass::text AS name, c.confrelid::regclass::text AS target
     FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace`,
  );
  // Names that are words of PostgreSQL come in quotes from regclass.
  const of = (rows: typeof keys, name: string, column: string): string[] =>
    rows
      .filter((row) => text(row, 'name').replaceAll('"', '') === name)
      .map((row) => text(row, column).replaceAll('"', ''));
  return [...Map.groupBy(columns, (row) => text(row, 'name'))].map(([name, rows]) => ({
    name,
    columns: rows.map((row) => text(row, 'col')),
    key: of(keys, name, 'col'),
    after: of(references, name, 'target'),
  }));
}

function inOrder(tables: readonly Table[]): Table[] {
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: Table[] = [];
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ name, after }) => after.every((one) => one === name || !left.has(one)));
    if (ready.length === 0) throw new TypeError(`tables refer to each other in a ring: ${[...left.keys()].join(', ')}`);
    for (const table of ready) left.delete(table.name);
    ordered.push(...ready);
  }
  return ordered;
}

/** A name of a table or column, in quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
