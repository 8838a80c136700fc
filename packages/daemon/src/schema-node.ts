import { z } from 'zod';

/**
 * One place in a configuration schema, as JSON Schema. It is plain data, so that fields, help and redaction can walk
 * it without knowing zod's classes. A union is several alternatives at the same place.
 */
export type SchemaNode = z.core.JSONSchema.BaseSchema;

/** The schema of what an operator writes, before transforms and defaults. */
export function schemaNode(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
}

/** The alternatives of a node: itself, or the members of its union; `null` and `never` are left out. */
export function alternatives(node: SchemaNode | boolean | undefined): readonly SchemaNode[] {
  if (node === undefined || typeof node === 'boolean') return [];
  const members = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  if (members.length > 0) return members.flatMap(alternatives);
  return node.type === 'null' || node.not !== undefined ? [] : [node];
}

/** The nodes that describe the value under `key` of a value that `nodes` describe. */
export function children(nodes: readonly SchemaNode[], key: PropertyKey): readonly SchemaNode[] {
  return nodes.flatMap((node) => {
    if (typeof key === 'number') {
      const items = Array.isArray(node.items) ? node.items[key] : node.items;
      return alternativesKeepingSecret(items);
    }
    return alternativesKeepingSecret(node.properties?.[String(key)] ?? node.additionalProperties);
  });
}

/** True when the value at `path` is secret, or lies within one that is. */
export function isSecret(root: SchemaNode, path: readonly PropertyKey[]): boolean {
  let nodes: readonly SchemaNode[] = [root];
  for (const key of path) {
    nodes = children(nodes, key);
    if (nodes.some((node) => node['secret'] === true)) return true;
  }
  return false;
}

/** A copy of `value` in which `replace` stands for every secret. */
export function withoutSecrets(root: SchemaNode, value: unknown, replace: string): unknown {
  return strip([root], value, replace);
}

/** Every secret text in `value`. */
export function secretsIn(root: SchemaNode, value: unknown): string[] {
  const found: string[] = [];
  const visit = (nodes: readonly SchemaNode[], inside: unknown, secret: boolean): void => {
    const isHidden = secret || nodes.some((node) => node['secret'] === true);
    if (isHidden && typeof inside === 'string') found.push(inside);
    for (const [key, child] of entries(inside)) visit(children(nodes, key), child, isHidden);
  };
  visit([root], value, false);
  return found;
}

function strip(nodes: readonly SchemaNode[], value: unknown, replace: string): unknown {
  if (value !== undefined && nodes.some((node) => node['secret'] === true)) return replace;
  if (Array.isArray(value)) return value.map((item, index) => strip(children(nodes, index), item, replace));
  if (!isMapping(value)) return value;
  return Object.fromEntries(entries(value).map(([key, child]) => [key, strip(children(nodes, key), child, replace)]));
}

// The mark may stand on a union while the alternatives below it are bare.
function alternativesKeepingSecret(node: SchemaNode | boolean | undefined): readonly SchemaNode[] {
  const secret = typeof node === 'object' && node['secret'] === true;
  return alternatives(node).map((each) => (secret ? { ...each, secret: true } : each));
}

function entries(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  return isMapping(value) ? Object.entries(value) : [];
}

/** True for what a YAML mapping becomes. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
