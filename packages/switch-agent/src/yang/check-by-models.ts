import type { Clock } from '@ingot/net';
import type { ConfigDb } from '../config-db/config-db.ts';
import { ErrorKind, explain, kindOf } from './explain.ts';
import type { Finding } from './finding.ts';
import { instanceXml, placesIn, type InstanceXml, type Place } from './instance-xml.ts';
import { LeftOut } from './left-out.ts';
import { parseLibyangError, type LibyangError } from './libyang-error.ts';
import { placeOfError } from './place-of-error.ts';
import { translate, type InstanceItem, type InstanceRow } from './translate.ts';
import type { YangModels } from './yang-models.ts';

export interface ModelCheck {
  readonly findings: readonly Finding[];
  /** Tables that no model describes. */
  readonly unmodelled: readonly string[];
  /** False when the search ended early: there may be more to find. */
  readonly isComplete: boolean;
}

// An operator mends a hundred problems before the next look; each round takes up to a second on a large configuration.
const MAX_ROUNDS = 100;
const MAX_FINDINGS = 1_000;
const MAX_SEARCH_MS = 120_000;

/**
 * Everything that the models find wrong. libyang stops at the first error, so what it complains of is left out and the
 * rest checked again; an error that is only there because of what was left out is not reported.
 */
export async function checkByModels(configDb: ConfigDb, models: YangModels, clock: Clock): Promise<ModelCheck> {
  const { rows, unmodelled, findings: misfits } = translate(configDb, models.index);
  const findings = [...misfits];
  const leftOut = new LeftOut(misfits);
  const started = clock.monotonic();
  for (let round = 0; ; round += 1) {
    const left = rows.filter((row) => !leftOut.omitted.has(row));
    if (left.length === 0) break;
    const isLate = round >= MAX_ROUNDS || clock.monotonic() - started > MAX_SEARCH_MS;
    if (isLate || findings.length >= MAX_FINDINGS) return { findings, unmodelled, isComplete: false };
    const instance = instanceXml(left, leftOut.omitted);
    const complaint = await models.check(instance.text);
    if (complaint === undefined) break;
    const error = parseLibyangError(complaint);
    const places = placesOf(error, left, instance, leftOut.omitted);
    const [first] = places;
    if (first === undefined) {
      const table = /^\/[^/]*\/([^/[]+)$/.exec(error.dataPath ?? '')?.[1];
      const rowsOfTable = left.filter((row) => row.table.name === table);
      findings.push(unplaced(error));
      if (rowsOfTable.length === 0) return { findings, unmodelled, isComplete: false };
      for (const row of rowsOfTable) leftOut.add({ row });
      continue;
    }
    const compiled = await models.describe(first.leaf?.schemaPath ?? schemaPathOfRow(first.row));
    const alike = isRepeatable(error, compiled) ? likePlaces(first, left, leftOut.omitted) : places;
    // Each is compared with all before it; those beyond have their turn in the next round, if there is one.
    for (const place of alike.slice(0, MAX_FINDINGS)) {
      if (!leftOut.explains(error, place, compiled)) findings.push(findingOf(place, explain(error, place, compiled)));
      leftOut.add(place);
    }
  }
  return { findings, unmodelled, isComplete: true };
}

function placesOf(
  error: LibyangError,
  rows: readonly InstanceRow[],
  instance: InstanceXml,
  omitted: ReadonlySet<InstanceRow | InstanceItem>,
): readonly Place[] {
  const place = placeOfError(error, rows, instance);
  if (place === undefined) return placesLacking(error, rows, omitted);
  if (place.item === undefined || !omitted.has(place.item)) return [place];
  // What stood there is left out already: it is the default that is wrong.
  const { row, field, leaf } = place;
  return [{ row, ...(field !== undefined && { field }), ...(leaf !== undefined && { leaf }) }];
}

/** The rows that lack a mandatory field, for which libyang names the field's model and no row. */
function placesLacking(
  { schemaPath = '' }: LibyangError,
  rows: readonly InstanceRow[],
  omitted: ReadonlySet<InstanceRow | InstanceItem>,
): readonly Place[] {
  const [, table, node, field] = /^\/[^/]*\/([^/]+)\/([^/]+)\/(?:[^/]+\/)*([^/]+)$/.exec(schemaPath) ?? [];
  if (field === undefined) return [];
  return rows
    .filter((row) => row.table.name === table && row.node === node)
    .filter((row) => row.fields.get(field)?.items.every((item) => omitted.has(item)) !== false)
    .map((row): Place => {
      const leaf = (row.list ?? row.table.containers.get(row.node))?.fields.get(field);
      return { row, field, ...(leaf !== undefined && { leaf }) };
    });
}

/** Whether the same text is wrong in every row: no type looks at other fields, and few references do. */
function isRepeatable(error: LibyangError, compiled: string): boolean {
  const kind = kindOf(error);
  return kind === ErrorKind.Type || (kind === ErrorKind.Reference && !/path "[^"]*\[/.test(compiled));
}

function likePlaces(
  place: Place,
  rows: readonly InstanceRow[],
  omitted: ReadonlySet<InstanceRow | InstanceItem>,
): readonly Place[] {
  const others = rows
    .filter(({ table, node }) => table === place.row.table && node === place.row.node)
    .flatMap((row) => [...placesIn(row)])
    .filter(
      ({ leaf, value, item }) =>
        leaf === place.leaf && value === place.value && (item === undefined || !omitted.has(item)),
    );
  return others.length === 0 ? [place] : others;
}

function schemaPathOfRow({ table, node }: InstanceRow): string {
  return `/${table.module}:${table.module}/${table.name}/${node}`;
}

function findingOf({ row, field }: Place, message: string): Finding {
  return { severity: 'error', table: row.table.name, key: row.key, ...(field !== undefined && { field }), message };
}

/** An error of a whole table, or of a place that is not known. Its quotes may hold a secret, but for a condition's. */
function unplaced({ message, dataPath, schemaPath }: LibyangError): Finding {
  const [, , table = 'config_db.json'] = (dataPath ?? schemaPath ?? '').split('/');
  const words = /^(?:When|Must) condition "/.test(message) ? message : message.replaceAll(/"[^"]*"/g, '"…"');
  return { severity: 'error', table, message: `breaks a rule of the model: ${words.slice(0, 400)}` };
}
