import { alternatives, isSecret, type SchemaNode } from './schema-node.ts';

/** How a text becomes a field's value. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'list' | 'json';

/** One setting: a leaf of the schema, and its three names. */
export interface Field {
  /** In the file. */
  readonly path: readonly string[];
  /** On the command line, without dashes. */
  readonly flag: string;
  /** In the environment. */
  readonly env: string;
  readonly kind: FieldKind;
  readonly itemKind: FieldKind;
  readonly choices: readonly string[];
  readonly description: string | undefined;
  readonly defaultValue: unknown;
  readonly secret: boolean;
}

/** The start of the names of a part's environment variables. */
export function envPrefix(part: string): string {
  return `INGOT_${upperSnake(part)}_`;
}

/** Every setting of a schema, in its order. */
export function fieldsOf(part: string, root: SchemaNode): readonly Field[] {
  const fields: Field[] = [];
  const visit = (node: SchemaNode, path: readonly string[], inheritedDefault: unknown): void => {
    const nodes = alternatives(node);
    const only = nodes.length === 1 ? nodes[0] : undefined;
    const defaultValue = node.default ?? inheritedDefault;
    if (only?.properties !== undefined) {
      for (const [key, child] of Object.entries(only.properties)) {
        if (typeof child === 'object') visit(child, [...path, key], property(defaultValue, key));
      }
      return;
    }
    const { items } = nodes.find(({ type }) => type === 'array') ?? {};
    const item = alternatives(Array.isArray(items) ? undefined : items);
    fields.push({
      path,
      flag: path.map(kebab).join('-'),
      env: envPrefix(part) + path.map(upperSnake).join('_'),
      kind: kindOf(nodes),
      itemKind: kindOf(item),
      choices: (only?.enum ?? []).map(String),
      description: node.description ?? only?.description,
      defaultValue,
      secret: isSecret(root, path),
    });
  };
  visit(root, [], undefined);
  refuseAmbiguity(fields);
  return fields;
}

// `a.bC` and `aB.c` would share a flag: a mistake in the schema, not of the operator.
function refuseAmbiguity(fields: readonly Field[]): void {
  const seen = new Map<string, Field>();
  for (const field of fields) {
    const other = seen.get(field.flag);
    if (other !== undefined) {
      throw new TypeError(
        `${field.path.join('.')} and ${other.path.join('.')} have the same flag --${field.flag}: rename one`,
      );
    }
    seen.set(field.flag, field);
  }
}

function kindOf(nodes: readonly SchemaNode[]): FieldKind {
  const kinds = new Set(nodes.map(alternativeKind));
  // One, or a list of them: a flag's text is a list of one.
  if (kinds.size === 2 && kinds.has('list') && kinds.has('text')) return 'list';
  const [kind, ...others] = kinds;
  return kind === undefined || others.length > 0 ? 'json' : kind;
}

function alternativeKind(node: SchemaNode): FieldKind {
  switch (node.type) {
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array': {
      const item = kindOf(alternatives(Array.isArray(node.items) ? undefined : node.items));
      return item === 'json' || item === 'list' ? 'json' : 'list';
    }
    default:
      return node.enum !== undefined || typeof node.const === 'string' ? 'text' : 'json';
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function kebab(key: string): string {
  return key.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

function upperSnake(key: string): string {
  return kebab(key).replaceAll('-', '_').toUpperCase();
}
