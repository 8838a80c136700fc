import { children, isMapping, type SchemaNode } from './schema-node.ts';
import { suggest } from './suggest.ts';

/** A key of the file that the schema does not know. */
export interface UnknownKey {
  readonly path: readonly PropertyKey[];
  readonly words: string;
}

/** Finds every unknown key, at every depth; a misspelt setting must never be passed over in silence. */
export function unknownKeys(root: SchemaNode, value: unknown): UnknownKey[] {
  const found: UnknownKey[] = [];
  const visit = (nodes: readonly SchemaNode[], inside: unknown, path: readonly PropertyKey[]): void => {
    if (Array.isArray(inside)) {
      inside.forEach((item, index) => visit(children(nodes, index), item, [...path, index]));
      return;
    }
    if (!isMapping(inside) || nodes.length === 0) return;
    const known = [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
    const open = nodes.some(isOpen);
    for (const [key, child] of Object.entries(inside)) {
      const below = children(nodes, key);
      if (below.length === 0 && !open && !known.includes(key)) {
        found.push({ path: [...path, key], words: unknownWords(key, known) });
      } else {
        visit(below, child, [...path, key]);
      }
    }
  };
  visit([root], value, []);
  return found;
}

// A node without properties is a scalar, which the schema refuses itself, or takes anything.
function isOpen(node: SchemaNode): boolean {
  if (node.properties === undefined) return true;
  return node.additionalProperties !== undefined && node.additionalProperties !== false;
}

function unknownWords(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  return known.length === 0 ? 'unknown key; nothing may stand here' : `unknown key; write one of ${known.join(', ')}`;
}
