import type { DescMessage } from '@ingot/api';
import { CliError, CliErrorCode } from '../errors.ts';
import { nearNames } from '../near-names.ts';
import type { Expression, Node } from './parse.ts';
import type { Template } from './template.ts';

/** Names that a template may ask a row for: those of the message that it is made of, and others. */
export function fieldNames(schema: DescMessage, ...others: readonly string[]): readonly string[] {
  return [...schema.fields.map(({ jsonName }) => jsonName), ...others];
}

/**
 * Throws CliError when a template asks rows for a field that none can have: JSON leaves out what is not set, and so would
 * hide a slip of the pen.
 */
export function checkFields(template: Template, fields: readonly string[]): void {
  const asked = new Set<string>();
  collect(template.nodes, true, asked);
  const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();
  for (const name of asked) {
    if (fields.some((field) => plain(field) === plain(name))) continue;
    const near = nearNames(name, fields);
    const others = near.length > 0 ? `did you mean .${near.join(' or .')}?` : `there are .${fields.join(', .')}`;
    throw new CliError(CliErrorCode.Argument, `--template: there is no field .${name}; ${others}`);
  }
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
