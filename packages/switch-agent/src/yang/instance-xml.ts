import type { LeafModel } from './model-index.ts';
import type { InstanceItem, InstanceRow } from './translate.ts';
import { element } from './xml-text.ts';

/** A row, a field that it lacks, a part of its key, or one of the values of a field. */
export interface Place {
  readonly row: InstanceRow;
  readonly field?: string;
  readonly leaf?: LeafModel;
  readonly value?: string;
  /** Undefined for a part of a key. */
  readonly item?: InstanceItem;
}

/** A part of a key, or one of the values of a field. */
export interface LeafPlace extends Place {
  readonly field: string;
  readonly leaf: LeafModel;
  readonly value: string;
}

export interface InstanceXml {
  readonly text: string;
  /** What stands in a line of the text, counted from 1. */
  placeOfLine(line: number): Place | undefined;
}

/** Instance data for yanglint, keys first as RFC 7950, section 7.8.5 wants them, each leaf in a line of its own. */
export function instanceXml(
  rows: readonly InstanceRow[],
  omitted: ReadonlySet<InstanceRow | InstanceItem>,
): InstanceXml {
  const lines: string[] = [];
  const places: Array<Place | undefined> = [];
  const add = (line: string, place?: Place): void => {
    lines.push(line);
    places.push(place);
  };
  const modules = Map.groupBy(
    rows.filter((row) => !omitted.has(row)),
    ({ table }) => table.module,
  );
  for (const [module, ofModule] of modules) {
    add(`<${module} xmlns="${ofModule[0]?.table.namespace ?? ''}">`);
    for (const [table, ofTable] of Map.groupBy(ofModule, (row) => row.table.name)) {
      add(`<${table}>`);
      for (const row of ofTable) {
        add(`<${row.node}>`, { row });
        for (const place of placesIn(row)) {
          if (place.item === undefined) add(element(place.field, place.value), place);
          else if (!omitted.has(place.item)) add(place.item.xml, place);
        }
        add(`</${row.node}>`, { row });
      }
      add(`</${table}>`);
    }
    add(`</${module}>`);
  }
  return { text: `${lines.join('\n')}\n`, placeOfLine: (line) => places[line - 1] };
}

/** The parts of the key, then the values of the fields. */
export function* placesIn(row: InstanceRow): Generator<LeafPlace> {
  for (const [part, leaf] of row.list?.keys.entries() ?? []) {
    yield { row, field: leaf.name, leaf, value: row.keyValues[part] ?? '' };
  }
  for (const [field, { leaf, items }] of row.fields) {
    for (const item of items) yield { row, field, leaf, value: item.value, item };
  }
}
