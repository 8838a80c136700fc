import type { ConfigDb, Row } from './config-db.ts';
import { jsonKeys, lineFinder } from './json-places.ts';

/** A `config_db.json` that was understood, or every problem in it: one line each, with file, line and column. */
export type ConfigDbDocument =
  | {
      readonly ok: true;
      readonly value: ConfigDb;
      /** `file:line:column` of a table, row or field, or of the nearest one above it that exists. */
      readonly locate: (path: readonly string[]) => string;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

// Nobody mends more before the next look.
const MAX_PROBLEMS = 1_000;

type Report = (path: readonly string[], words: string) => void;
type Json = Readonly<Record<string, unknown>>;

/**
 * Parses a `config_db.json`: objects of objects of texts and lists of texts. Numbers become texts, as `sonic-cfggen`
 * makes them; what it would store as something else than written (`true` as `True`) is a problem.
 * `name` is for the messages only.
 */
export function parseConfigDb(name: string, text: string): ConfigDbDocument {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [syntaxProblem(name, text, error)] };
  }
  const lineAndColumn = lineFinder(text);
  const places = new Map<string, number>();
  const locate = (path: readonly string[]): string => {
    if (places.size === 0) for (const key of jsonKeys(text)) places.set(key.path.join('\0'), key.offset);
    for (let length = path.length; length > 0; length -= 1) {
      const offset = places.get(path.slice(0, length).join('\0'));
      if (offset !== undefined) return `${name}:${lineAndColumn(offset)}`;
    }
    return `${name}:1:1`;
  };
  const problems = repeated(name, text, lineAndColumn);
  const value = configDbOf(json, (path, words) => {
    if (problems.length >= MAX_PROBLEMS) return;
    const what = path.slice(1).length === 0 ? (path[0] ?? '') : `${path[0] ?? ''}|${path.slice(1).join(' ')}`;
    problems.push(`${locate(path)}: ${what === '' ? '' : `${what}: `}${words}`);
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value, locate };
}

function configDbOf(json: unknown, report: Report): ConfigDb {
  const tables: Record<string, Record<string, Row>> = {};
  if (!isObject(json)) {
    report([], 'write an object of tables, as {"PORT": {"Ethernet0": {"mtu": "9100"}}}');
    return tables;
  }
  for (const [table, rows] of Object.entries(json)) {
    if (!isName([table], report)) continue;
    if (!isObject(rows)) {
      // The CLI's own "show" adds this one to what it prints.
      const hint = table === 'bgpraw' ? ' ("show runningconfiguration all" adds it: leave it out)' : '';
      report([table], `write an object of rows${hint}`);
      continue;
    }
    const parsed: Record<string, Row> = {};
    for (const [key, row] of Object.entries(rows)) {
      if (!isName([table, key], report)) continue;
      if (!isObject(row)) {
        const hint =
          row === null ? '; "config load" deletes a row that is null, a configuration just leaves it out' : '';
        report([table, key], `write an object of fields, {} for a row without any${hint}`);
        continue;
      }
      parsed[key] = rowOf(table, key, row, report);
    }
    tables[table] = parsed;
  }
  return tables;
}

function rowOf(table: string, key: string, json: Json, report: Report): Row {
  const row: Record<string, string | readonly string[]> = {};
  for (const [field, value] of Object.entries(json)) {
    const path = [table, key, field];
    if (!isName(path, report)) continue;
    // How Redis keeps a row without fields; some dumps have it.
    if (field === 'NULL' && value === 'NULL') continue;
    if (field.endsWith('@')) {
      report(path, `write "${field.slice(0, -1)}" and a list; the "@" is how Redis stores a list`);
      continue;
    }
    if (Array.isArray(value)) {
      const items: readonly unknown[] = value;
      row[field] = items.flatMap((item) => scalarOf(path, item, report) ?? []);
    } else {
      const text = scalarOf(path, value, report);
      if (text !== undefined) row[field] = text;
    }
  }
  return row;
}

function scalarOf(path: readonly string[], value: unknown, report: Report): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean')
    report(path, `write "${value}" in quotes; SONiC would store it with a capital letter`);
  else if (value === null) report(path, 'write a text, or leave the field out; SONiC would store "None"');
  else report(path, 'write a text or a list of texts');
  return undefined;
}

function isName(path: readonly string[], report: Report): boolean {
  const name = path.at(-1);
  // Only this one means something to JavaScript, and nothing to SONiC.
  if (name !== '' && name !== '__proto__') return true;
  report(path, `"${name}" is no name; leave it out`);
  return false;
}

function repeated(name: string, text: string, lineAndColumn: (offset: number) => string): string[] {
  const seen = new Map<string, number>();
  const problems: string[] = [];
  for (const { path, offset } of jsonKeys(text)) {
    if (problems.length >= MAX_PROBLEMS) break;
    const key = path.join('\0');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, offset);
    else {
      const where = lineAndColumn(first);
      problems.push(
        `${name}:${lineAndColumn(offset)}: "${path.at(-1) ?? ''}" stands here a second time, first at ${where}; only the last would count`,
      );
    }
  }
  return problems;
}

function syntaxProblem(name: string, text: string, error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(words)?.[1];
  // V8 gives no position for a text that ends too early.
  const offset = position === undefined ? text.length : Number(position);
  // Its words quote the text, which may hold secrets.
  const what = text.trim() === '' ? 'it is empty' : (words.split(/,? (?:in JSON|\.\.\.|")/)[0] ?? words);
  return `${name}:${lineFinder(text)(offset)}: not JSON: ${what}`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
