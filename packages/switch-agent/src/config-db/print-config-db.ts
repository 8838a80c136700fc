import type { ConfigDb, Row } from './config-db.ts';
import { codeOrder, naturalOrder } from './natural-order.ts';

/**
 * `config_db.json` as `sonic-cfggen --print-data` lays it out: four spaces, rows in natural order (`Ethernet4` before
 * `Ethernet12`), tables and fields by code, all but ASCII escaped. Tables without rows are left out: SONiC's generic
 * updater refuses a configuration that has one.
 */
export function printConfigDb(configDb: ConfigDb): string {
  const tables = Object.entries(configDb).filter(([, rows]) => Object.keys(rows).length > 0);
  return `${object(tables, codeOrder, '', (rows, indent) =>
    object(Object.entries(rows), naturalOrder, indent, printRow),
  )}\n`;
}

function printRow(row: Row, indent: string): string {
  return object(Object.entries(row), codeOrder, indent, (value, inner) => {
    if (typeof value === 'string') return quote(value);
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => `${inner}${STEP}${quote(item)}`).join(',\n')}\n${inner}]`;
  });
}

const STEP = '    ';

// Not JSON.stringify: an object's keys that look like numbers come first in JavaScript, whatever order they were set in.
function object<T>(
  entries: ReadonlyArray<readonly [string, T]>,
  order: (left: string, right: string) => number,
  indent: string,
  print: (value: T, indent: string) => string,
): string {
  if (entries.length === 0) return '{}';
  const inner = indent + STEP;
  const lines = entries
    .toSorted(([left], [right]) => order(left, right))
    .map(([key, value]) => `${inner}${quote(key)}: ${print(value, inner)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function quote(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0'),
  );
}
