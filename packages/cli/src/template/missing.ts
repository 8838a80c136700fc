import { nearNames } from '../near-names.ts';
import type { Json } from '../output.ts';
import { fieldOf } from './functions.ts';
import type { Expression, Node } from './parse.ts';
import type { Template } from './template.ts';

/**
 * Warnings about fields that a template asks of the rows and that no row has: JSON leaves out what is not set, so a
 * single row says nothing, but a slip of the pen shows in all of them.
 */
export function missingFields(template: Template, rows: readonly Json[]): string[] {
  const names = new Set(rows.flatMap((row) => (typeof row === 'object' && row !== null ? Object.keys(row) : [])));
  if (names.size === 0) return [];
  const asked = new Set<string>();
  collect(template.nodes, true, asked);
  return [...asked]
    .filter((name) => rows.every((row) => fieldOf(row, name) === undefined))
    .map((name) => {
      const near = nearNames(name, [...names]);
      const others = near.length > 0 ? `did you mean .${near.join(' or .')}?` : `there are .${[...names].join(', .')}`;
      return `no row has the field .${name}; ${others}`;
    });
}

/** First names of the paths that start at a row. */
function collect(nodes: readonly Node[], atRow: boolean, into: Set<string>): void {
  for (const node of nodes) {
    if (node.kind === 'text') continue;
    collectFrom(node.of, atRow, into);
    if (node.kind === 'print') continue;
    collect(node.body, atRow && node.kind === 'if', into);
    collect(node.otherwise, atRow, into);
  }
}

function collectFrom(expression: Expression, atRow: boolean, into: Set<string>): void {
  if (expression.kind === 'call') for (const arg of expression.args) collectFrom(arg, atRow, into);
  if (expression.kind !== 'field') return;
  const [first] = expression.path;
  if (first !== undefined && (atRow || expression.root)) into.add(first);
}
