import { suggest } from '@ingot/daemon';
import type { ConfigDb, Row } from '../config-db/config-db.ts';
import type { Finding } from './finding.ts';
import type { LeafModel, ListModel, MapModel, ModelIndex, TableModel } from './model-index.ts';
import { element, forbiddenCharacter } from './xml-text.ts';

/** A row of CONFIG_DB as instance data of its model. */
export interface InstanceRow {
  readonly table: TableModel;
  readonly key: string;
  /** Of the list or container that the row is an instance of. */
  readonly node: string;
  /** Undefined for a container, which there is one of. */
  readonly list: ListModel | undefined;
  /** The values of the key, in their order; none for a container. */
  readonly keyValues: readonly string[];
  readonly fields: ReadonlyMap<string, InstanceField>;
}

export interface InstanceField {
  readonly leaf: LeafModel;
  /** One of a leaf, any number of a leaf-list. */
  readonly items: readonly InstanceItem[];
}

export interface InstanceItem {
  readonly value: string;
  /** An element, in one line. */
  readonly xml: string;
}

export interface Translation {
  readonly rows: readonly InstanceRow[];
  /** Tables that no model describes. */
  readonly unmodelled: readonly string[];
  /** What does not fit the models by its shape. It is left out of the rows. */
  readonly findings: readonly Finding[];
}

/** Lists for the model that CONFIG_DB has as one text, and what separates their items. */
const JOINED_LISTS: ReadonlyMap<string, string> = new Map([
  ['MIRROR_SESSION src_ip', ','],
  ['NTP src_intf', ';'],
  ['BGP_ALLOWED_PREFIXES prefixes_v4', ','],
  ['BGP_ALLOWED_PREFIXES prefixes_v6', ','],
  ['BUFFER_PORT_EGRESS_PROFILE_LIST profile_list', ','],
  ['BUFFER_PORT_INGRESS_PROFILE_LIST profile_list', ','],
  ['PORT adv_speeds', ','],
  ['PORT adv_interface_types', ','],
]);

/**
 * Translates by the rules of SONiC's own tools: the number of parts of a key selects the list, a row of a fixed name is
 * a container, the fields of a map are the entries of an inner list. All values are texts: types are yanglint's to check.
 */
export function translate(configDb: ConfigDb, index: ModelIndex): Translation {
  const rows: InstanceRow[] = [];
  const unmodelled: string[] = [];
  const findings: Finding[] = [];
  for (const [name, tableRows] of Object.entries(configDb)) {
    const table = index.get(name);
    if (table === undefined) {
      unmodelled.push(name);
      continue;
    }
    for (const [key, row] of Object.entries(tableRows)) {
      const report = (message: string, field?: string): void => {
        findings.push({ severity: 'error', table: name, key, ...(field !== undefined && { field }), message });
      };
      const translated = translateRow(table, key, row, report);
      if (translated !== undefined) rows.push(translated);
    }
  }
  return { rows, unmodelled, findings };
}

type Report = (message: string, field?: string) => void;

function translateRow(table: TableModel, key: string, row: Row, report: Report): InstanceRow | undefined {
  const forbidden = forbiddenCharacter(key);
  if (forbidden !== undefined) {
    report(`the key holds ${forbidden}, which no text of a model may; leave it out`);
    return undefined;
  }
  const container = table.containers.get(key);
  if (container !== undefined) {
    const fields = translateFields(table, container.fields, row, report);
    return { table, key, node: container.name, list: undefined, keyValues: [], fields };
  }
  const keyValues = key.split('|');
  const list = listFor(table, keyValues.length, Object.keys(row));
  if (list === undefined) {
    report(`the key does not fit the model: write ${shapesOf(table)}`);
    return undefined;
  }
  const own = Object.fromEntries(
    Object.entries(row).filter(([field, value]) => !repeatsKey(list, keyValues, field, value, report)),
  );
  const fields =
    list.map === undefined ? translateFields(table, list.fields, own, report) : translateMap(list.map, own, report);
  return { table, key, node: list.name, list, keyValues, fields };
}

/** Of the lists whose keys have as many parts, the one that knows all fields, else the first. */
function listFor(table: TableModel, parts: number, fields: readonly string[]): ListModel | undefined {
  const fitting = table.lists.filter(({ keys }) => keys.length === parts);
  return (
    fitting.find((list) => fields.every((field) => list.fields.has(field) || partOf(list, field) >= 0)) ?? fitting[0]
  );
}

function shapesOf(table: TableModel): string {
  const shapes = [
    ...table.containers.keys(),
    ...table.lists.map(({ keys }) => keys.map((key) => `<${key.name}>`).join('|')),
  ];
  return shapes.map((shape) => `"${shape}"`).join(' or ');
}

/** A field that repeats a part of the key says nothing new; one that contradicts it is wrong. */
function repeatsKey(
  list: ListModel,
  keyValues: readonly string[],
  field: string,
  value: string | readonly string[],
  report: Report,
): boolean {
  const part = partOf(list, field);
  if (part < 0) return false;
  if (value !== keyValues[part]) report('is a part of the key, which says something else; leave it out', field);
  return true;
}

function partOf(list: ListModel, field: string): number {
  return list.keys.findIndex(({ name }) => name === field);
}

function translateFields(
  table: TableModel,
  known: ReadonlyMap<string, LeafModel>,
  row: Row,
  report: Report,
): ReadonlyMap<string, InstanceField> {
  const fields = new Map<string, InstanceField>();
  for (const [field, value] of Object.entries(row)) {
    const leaf = known.get(field);
    if (leaf === undefined) {
      const near = suggest(field, [...known.keys()]);
      report(
        `there is no such field in ${table.name}; ${near === undefined ? 'leave it out' : `did you mean ${near}?`}`,
        field,
      );
      continue;
    }
    const items = itemsOf(`${table.name} ${field}`, leaf, value, (message) => report(message, field));
    if (items !== undefined) {
      fields.set(field, { leaf, items: items.map((item) => ({ value: item, xml: element(field, item) })) });
    }
  }
  return fields;
}

function itemsOf(
  place: string,
  { isList }: LeafModel,
  value: string | readonly string[],
  report: (message: string) => void,
): readonly string[] | undefined {
  const separator = JOINED_LISTS.get(place);
  if (!isList && typeof value !== 'string') {
    report('takes one text, not a list');
    return undefined;
  }
  if (isList && typeof value === 'string' && separator === undefined) {
    report('takes a list: write ["…", "…"]');
    return undefined;
  }
  const items =
    typeof value !== 'string'
      ? value
      : isList && separator !== undefined
        ? value.split(separator).map((item) => item.trim())
        : [value];
  const forbidden = items.map(forbiddenCharacter).find((character) => character !== undefined);
  if (forbidden !== undefined) {
    report(`holds ${forbidden}, which no text of a model may; leave it out`);
    return undefined;
  }
  // SONiC reads an empty list back as a list of one empty text.
  return isList ? items.filter((item) => item !== '') : items;
}

function translateMap(map: MapModel, row: Row, report: Report): ReadonlyMap<string, InstanceField> {
  const fields = new Map<string, InstanceField>();
  for (const [field, value] of Object.entries(row)) {
    const forbidden = forbiddenCharacter(field);
    if (forbidden !== undefined) report(`the name of a field holds ${forbidden}; leave it out`);
    const items = itemsOf(map.name, map.value, value, (message) => report(message, field));
    if (forbidden !== undefined || items === undefined) continue;
    const entry = (item: string): string => element(map.key.name, field) + element(map.value.name, item);
    fields.set(field, {
      leaf: map.value,
      items: items.map((item) => ({ value: item, xml: `<${map.name}>${entry(item)}</${map.name}>` })),
    });
  }
  return fields;
}
