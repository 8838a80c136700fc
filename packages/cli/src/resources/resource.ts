import { apiV2, create, fromJson, timestampFromMs, toJson, type DescMessage, type MessageShape } from '@ingot/api';
import { CliError, CliErrorCode } from '../errors.ts';
import type { Json } from '../output.ts';
import { jsonProblem } from './json-problem.ts';
import type { Api } from '../api.ts';
import type { Changeable } from './emptied.ts';

/** A thing as documents and lists have it. */
export type JsonObject = { readonly [key: string]: Json };

/** One thing of a kind. */
export interface Item {
  readonly id: string;
  readonly json: JsonObject;
}

/** A column of a resource's table: a path into its JSON, such as `meta.createdAt`, or words made of all of it. */
export interface ResourceColumn {
  readonly title: string;
  readonly value: string | ((json: JsonObject) => string);
  readonly wide?: boolean;
}

/** A narrower list than that of all there is, for which a token with fewer rights is enough. */
export interface Scope<T> {
  /** As commander has it: `--project <uuid>`. */
  readonly flag: string;
  readonly description: string;
  readonly list: (api: Api, value: string) => Promise<T>;
}

/** A kind of thing that operators list, describe, apply and remove. */
export interface Resource {
  /** The word on the command line and in documents: `size`, `size-reservation`. */
  readonly kind: string;
  readonly description: string;
  readonly columns: readonly ResourceColumn[];
  /** Names of fields that the server sets, or that cannot be changed: left out of comparisons. */
  readonly fixed: readonly string[];
  readonly schema: DescMessage;
  /** Names of fields that only the server sets. */
  readonly made: readonly string[];
  /** Names of fields without which none is made. */
  readonly needs: readonly string[];
  readonly scope: Scope<Item[]> | undefined;
  list(api: Api): Promise<Item[]>;
  /** One by its whole id. Throws ApiError. */
  readonly get: ((api: Api, id: string, scope: string | undefined) => Promise<Item | undefined>) | undefined;
  /** Checks a document, and gives it in the form that `list` gives. Throws CliError naming the field. */
  parse(document: JsonObject): Item;
  create(api: Api, item: Item): Promise<Item>;
  /**
   * Undefined: this kind cannot be changed. With `seen`, only if nobody has changed it since that was read; without,
   * whatever has happened meanwhile.
   */
  readonly update: ((api: Api, item: Item, seen?: Item) => Promise<Item>) | undefined;
  readonly changeable: Changeable;
  remove(api: Api, item: Item): Promise<void>;
}

/** What a kind needs besides its schema. */
export interface ResourceCalls<Schema extends DescMessage> {
  readonly kind: string;
  readonly description: string;
  readonly schema: Schema;
  readonly columns: readonly ResourceColumn[];
  readonly fixed?: readonly string[];
  readonly made?: readonly string[];
  readonly needs: readonly string[];
  readonly scope?: Scope<readonly MessageShape<Schema>[]>;
  readonly get?: (api: Api, id: string, scope: string | undefined) => Promise<MessageShape<Schema> | undefined>;
  readonly idOf: (message: MessageShape<Schema>) => string;
  readonly list: (api: Api) => Promise<readonly MessageShape<Schema>[]>;
  readonly create: (api: Api, message: MessageShape<Schema>) => Promise<MessageShape<Schema> | undefined>;
  readonly update?: (
    api: Api,
    id: string,
    message: MessageShape<Schema>,
    updateMeta: apiV2.UpdateMeta,
  ) => Promise<MessageShape<Schema> | undefined>;
  /** Default: of all that is changed the description can be emptied, and there are labels. */
  readonly changeable?: Partial<Changeable>;
  readonly remove: (api: Api, id: string, message: MessageShape<Schema>) => Promise<unknown>;
}

/** Makes a resource of a message of the contract. */
export function resource<Schema extends DescMessage>(calls: ResourceCalls<Schema>): Resource {
  const { kind, schema } = calls;
  const toItem = (message: MessageShape<Schema>): Item => ({
    id: calls.idOf(message),
    json: objectOf(toJson(schema, message)),
  });
  const read = (json: JsonObject, what: string): MessageShape<Schema> => {
    try {
      return fromJson(schema, json);
    } catch (error) {
      throw new CliError(CliErrorCode.Argument, `${what} is no ${kind}: ${jsonProblem(schema, error)}`, error);
    }
  };
  const answered = (message: MessageShape<Schema> | undefined): Item => {
    if (message === undefined) throw new CliError(CliErrorCode.Api, `the API server answered without the ${kind}`);
    return toItem(message);
  };
  const { update, get, scope } = calls;
  return {
    kind,
    description: calls.description,
    columns: calls.columns,
    fixed: ['meta', ...(calls.fixed ?? [])],
    schema,
    needs: calls.needs,
    changeable: { emptiable: ['description'], labelled: true, ...calls.changeable },
    made: ['meta', ...(calls.made ?? [])],
    scope:
      scope === undefined
        ? undefined
        : { ...scope, list: async (api, value) => (await scope.list(api, value)).map(toItem) },
    list: async (api) => (await calls.list(api)).map(toItem),
    get:
      get === undefined
        ? undefined
        : async (api, id, value) => {
            const found = await get(api, id, value);
            return found === undefined ? undefined : toItem(found);
          },
    parse: (document) => toItem(read(document, `the document "${nameOf(document)}"`)),
    create: async (api, item) => answered(await calls.create(api, read(item.json, `"${item.id}"`))),
    update:
      update === undefined
        ? undefined
        : async (api, item, seen) =>
            answered(await update(api, item.id, read(item.json, `"${item.id}"`), updateMetaOf(seen))),
    remove: async (api, item) => void (await calls.remove(api, item.id, read(item.json, `"${item.id}"`))),
  };
}

/** What a change demands of what is there; `seen` is what the change was made on. Throws CliError. */
export function updateMetaOf(seen: Item | undefined): apiV2.UpdateMeta {
  const { CLIENT, SERVER } = apiV2.OptimisticLockingStrategy;
  if (seen === undefined) return create(apiV2.UpdateMetaSchema, { lockingStrategy: SERVER });
  const updatedAt = Date.parse(textAt(seen.json, 'meta.updatedAt') || textAt(seen.json, 'meta.createdAt'));
  if (Number.isNaN(updatedAt))
    throw new CliError(CliErrorCode.Api, `the API server does not say when ${seen.id} was changed last`);
  return create(apiV2.UpdateMetaSchema, { lockingStrategy: CLIENT, updatedAt: timestampFromMs(updatedAt) });
}

/** The value at a path into JSON, as a table shows it. */
export function textAt(json: Json | undefined, path: string): string {
  let at: Json | undefined = json;
  for (const name of path.split('.')) at = isObject(at) ? at[name] : undefined;
  if (at === undefined || at === null) return '';
  if (Array.isArray(at)) return at.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(',');
  return isObject(at) ? JSON.stringify(at) : String(at);
}

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

function nameOf(document: JsonObject): string {
  const found = ['id', 'uuid', 'login', 'size', 'name']
    .map((key) => document[key])
    .find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : '?';
}
