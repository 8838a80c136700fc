import { CliError, CliErrorCode } from '../errors.ts';
import type { Json } from '../output.ts';
import { fieldOf, FUNCTIONS, isTrue, listOf, textOf, type Value } from './functions.ts';
import { parseTemplate, type Expression, type Node } from './parse.ts';

/** A template in the part of Go's text/template that lists need: docs/cli.md has it. */
export interface Template {
  readonly nodes: readonly Node[];
  /** Applies it to one row; ends with a newline. */
  render(row: Json): string;
}

/** The template of `-o template`. Throws CliError when there is none, or none that can be read. */
export function requireTemplate(source: string | undefined): Template {
  if (source === undefined) {
    throw new CliError(
      CliErrorCode.Argument,
      "-o template needs a template: --template '{{ .uuid }} {{ .rack }}'. -o json shows the names of the fields.",
    );
  }
  const nodes = parseTemplate(source);
  return {
    nodes,
    render: (row) => {
      const text = renderAll(nodes, row, row);
      return text.endsWith('\n') ? text : `${text}\n`;
    },
  };
}

function renderAll(nodes: readonly Node[], root: Value, dot: Value): string {
  return nodes.map((node) => renderNode(node, root, dot)).join('');
}

function renderNode(node: Node, root: Value, dot: Value): string {
  if (node.kind === 'text') return node.text;
  const value = valueOf(node.of, root, dot);
  if (node.kind === 'print') return textOf(value);
  if (node.kind === 'range') {
    const values = listOf(value);
    if (values.length === 0) return renderAll(node.otherwise, root, dot);
    return values.map((one) => renderAll(node.body, root, one)).join('');
  }
  if (!isTrue(value)) return renderAll(node.otherwise, root, dot);
  return renderAll(node.body, root, node.kind === 'with' ? value : dot);
}

function valueOf(expression: Expression, root: Value, dot: Value): Value {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'field':
      return expression.path.reduce<Value>(fieldOf, expression.root ? root : dot);
    case 'call':
      return FUNCTIONS[expression.name].run(expression.args.map((arg) => valueOf(arg, root, dot)));
    default:
      return expression satisfies never;
  }
}
