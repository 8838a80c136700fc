import { interfaceAddressOf } from '../interface-address.ts';
import { placesIn, type InstanceXml, type Place } from './instance-xml.ts';
import type { LibyangError } from './libyang-error.ts';
import type { InstanceRow } from './translate.ts';

/**
 * Where in the configuration an error is; undefined when it cannot be told. A line is exact. Without one the path is
 * compared with those of all rows: its quoting cannot be undone where a key holds both kinds of quotes.
 */
export function placeOfError(
  error: LibyangError,
  rows: readonly InstanceRow[],
  instance: InstanceXml,
): Place | undefined {
  const path = error.dataPath;
  const exact = error.line === undefined ? undefined : refine(instance.placeOfLine(error.line), path ?? '');
  if (exact !== undefined || path === undefined) return exact;
  for (const row of rows) {
    const own = `${nodePath(row)}${predicatesOf(row)}`;
    if (path === own || path.startsWith(`${own}/`)) return placeInRow(row, path.slice(own.length + 1));
  }
  return placeByCanonicalKey(path, rows);
}

/**
 * An entry of a map stands in one line: the path tells which of its two leaves is meant. And a text that stands twice in
 * a list is only seen where the row ends.
 */
function refine(place: Place | undefined, path: string): Place | undefined {
  if (place === undefined) return undefined;
  if (place.field === undefined) return placeInRow(place.row, /([\w.-]+\[\.=.*)$/s.exec(path)?.[1] ?? '');
  const key = place.row.list?.map?.key;
  return key === undefined || !path.endsWith(`/${key.name}`) ? place : { ...place, leaf: key, value: place.field };
}

function nodePath({ table, node }: InstanceRow): string {
  return `/${table.module}:${table.module}/${table.name}/${node}`;
}

function predicatesOf({ list, keyValues }: InstanceRow): string {
  return keyValues
    .map((value, part) => {
      const quote = value.includes("'") ? '"' : "'";
      return `[${list?.keys[part]?.name ?? ''}=${quote}${value}${quote}]`;
    })
    .join('');
}

/** libyang may write a key in its canonical form: 010 as 10, 10.0.0.1/8 as 10.0.0.0/8. */
function placeByCanonicalKey(path: string, rows: readonly InstanceRow[]): Place | undefined {
  const [, node, predicates = '', rest = ''] = /^(\/[^[]*)((?:\[[^\]]*\])*)(?:\/(.*))?$/s.exec(path) ?? [];
  const values = [...predicates.matchAll(/=(['"])(.*?)\1\]/gs)].map(([, , value = '']) => value);
  const row = rows.find(
    (each) =>
      node === nodePath(each) &&
      values.length === each.keyValues.length &&
      each.keyValues.every((value, part) => canonical(value) === canonical(values[part] ?? '')),
  );
  return row === undefined ? undefined : placeInRow(row, rest);
}

/** `rest` is what follows the row in a path: nothing, `leaf`, `leaf[.='value']` or `MAP[key='value']/leaf`. */
function placeInRow(row: InstanceRow, rest: string): Place {
  const [, name = '', , value] = /^([^[/]*)(?:\[[^=]*=(['"])(.*)\2\])?/s.exec(rest) ?? [];
  const map = row.list?.map;
  for (const place of placesIn(row)) {
    const isThis =
      map !== undefined && place.item !== undefined
        ? name === map.name && place.field === value
        : name === place.field && (value === undefined || canonical(value) === canonical(place.value));
    if (isThis) return place;
  }
  // A leaf that is not there has its default, and may be wrong for all that.
  const leaf = (row.list ?? row.table.containers.get(row.node))?.fields.get(name);
  return leaf === undefined ? { row } : { row, field: name, leaf };
}

function canonical(value: string): string {
  if (/^\d+$/.test(value)) return value.replace(/^0+(?=\d)/, '');
  const prefix = interfaceAddressOf(value);
  return prefix === undefined ? value.toLowerCase() : `${prefix.family} ${prefix.first}/${prefix.length}`;
}
