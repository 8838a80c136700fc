import type { Api } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { canonical } from './canonical.ts';
import { changesOf } from './emptied.ts';
import type { Item, JsonObject, Resource } from './resource.ts';

/** What became of a document. */
export interface Applied {
  readonly kind: string;
  readonly id: string;
  readonly outcome: 'created' | 'changed' | 'unchanged';
}

/**
 * Makes the things of these documents be as they say: creates what is not there, changes what differs in a field that a
 * document names, and leaves the rest alone. Applying the same documents again changes nothing. All of them are checked
 * before anything is changed; kinds that others refer to come first.
 */
export async function applyDocuments(
  api: Api,
  resources: readonly Resource[],
  documents: readonly JsonObject[],
  onApplied: (applied: Applied) => void,
): Promise<void> {
  const wanted = documents.map((document) => {
    const { kind, ...fields } = document;
    const found = resources.find((one) => one.kind === kind);
    if (found === undefined) {
      const kinds = resources.map((one) => one.kind).join(', ');
      throw new CliError(
        CliErrorCode.Argument,
        `a document has ${kind === undefined ? 'no kind' : `the kind ${JSON.stringify(kind)}`}: write one of ${kinds}`,
      );
    }
    return { resource: found, item: found.parse(fields), fields };
  });
  for (const one of resources) {
    const mine = wanted.filter(({ resource }) => resource === one);
    if (mine.length === 0) continue;
    const there = await one.list(api);
    for (const { item, fields } of mine) onApplied(await applyOne(api, one, item, fields, there));
  }
}

async function applyOne(
  api: Api,
  resource: Resource,
  item: Item,
  fields: JsonObject,
  there: readonly Item[],
): Promise<Applied> {
  const { kind } = resource;
  const before = there.find((one) => one.id === item.id) ?? sameName(resource, item, there);
  if (before === undefined) {
    const made = await resource.create(api, item);
    return { kind, id: made.id, outcome: 'created' };
  }
  const change = { what: `${kind} ${before.id}`, before: before.json, document: fields, wanted: item.json };
  const sent = changesOf({ ...change, whole: false }, resource.changeable);
  const different = Object.keys(sent).filter((key) => key === 'meta' || !same(before.json[key], sent[key]));
  const moved = different.find((key) => resource.fixed.includes(key) && key !== 'meta');
  if (moved !== undefined)
    throw new CliError(
      CliErrorCode.Argument,
      `${kind} ${before.id}: ${moved} cannot be changed from ${JSON.stringify(before.json[moved])} to ${JSON.stringify(item.json[moved])}: remove it and make it anew`,
    );
  if (different.length === 0) return { kind, id: before.id, outcome: 'unchanged' };
  if (resource.update === undefined)
    throw new CliError(CliErrorCode.Argument, `a ${kind} cannot be changed: remove ${before.id} and make it anew`);
  const changed = await resource.update(api, { id: before.id, json: { ...before.json, ...sent } });
  return { kind, id: changed.id, outcome: 'changed' };
}

/** What gets its ID from the server is found again by its name, within what it belongs to. */
function sameName(resource: Resource, item: Item, there: readonly Item[]): Item | undefined {
  const { name, tenant, project, size } = item.json;
  if (item.id !== '' || name === undefined || !['project', 'size-reservation', 'ip'].includes(resource.kind))
    return undefined;
  return there.find(
    ({ json }) =>
      same(json['name'], name) &&
      Object.entries({ tenant, project, size }).every(([key, value]) => value === undefined || same(json[key], value)),
  );
}

/** Compares as JSON, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}
