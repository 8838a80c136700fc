import { FUNCTIONS, isFunction, type FunctionName } from './functions.ts';
import { splitTemplate, templateError, type Piece, type Token } from './tokens.ts';

/** What has a value. */
export type Expression =
  | { readonly kind: 'value'; readonly value: string | number | boolean }
  /** A path from the row, or from what `range` and `with` are at. */
  | { readonly kind: 'field'; readonly root: boolean; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[]; readonly at: number };

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly of: Expression }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly of: Expression;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

const BLOCKS = ['if', 'range', 'with'] as const;

/** Reads a template. Throws CliError with the place. */
export function parseTemplate(source: string): readonly Node[] {
  const reader = { pieces: splitTemplate(source), next: 0, source };
  const { nodes, end } = readNodes(reader);
  if (end !== undefined) throw templateError(end.at, `"${end.word}" without "if", "range" or "with" before it`);
  return nodes;
}

interface Reader {
  readonly pieces: readonly Piece[];
  readonly source: string;
  next: number;
}

interface End {
  readonly word: 'end' | 'else';
  readonly rest: readonly Token[];
  readonly at: number;
}

function readNodes(reader: Reader): { nodes: Node[]; end: End | undefined } {
  const nodes: Node[] = [];
  for (;;) {
    const piece = reader.pieces[reader.next];
    reader.next += 1;
    if (piece === undefined) return { nodes, end: undefined };
    if (piece.kind === 'text') {
      nodes.push(piece);
      continue;
    }
    const [first, ...rest] = piece.tokens;
    if (first?.kind === 'word' && (first.text === 'end' || first.text === 'else'))
      return { nodes, end: { word: first.text, rest, at: first.at } };
    const block = BLOCKS.find((name) => first?.kind === 'word' && first.text === name);
    nodes.push(
      block === undefined
        ? { kind: 'print', of: pipeline(piece.tokens, piece.at) }
        : readBlock(reader, block, rest, piece.at),
    );
  }
}

function readBlock(reader: Reader, kind: (typeof BLOCKS)[number], condition: readonly Token[], at: number): Node {
  const of = pipeline(condition, at);
  const body = readNodes(reader);
  if (body.end === undefined) throw templateError(at, `"${kind}" is not closed by "{{ end }}"`);
  if (body.end.word === 'end') return { kind, of, body: body.nodes, otherwise: [] };
  const [chained, ...rest] = body.end.rest;
  if (chained !== undefined) {
    if (chained.text !== 'if') throw templateError(chained.at, 'behind "else" only "if" may follow');
    return { kind, of, body: body.nodes, otherwise: [readBlock(reader, 'if', rest, chained.at)] };
  }
  const otherwise = readNodes(reader);
  if (otherwise.end?.word !== 'end') throw templateError(at, `"${kind}" is not closed by "{{ end }}"`);
  return { kind, of, body: body.nodes, otherwise: otherwise.nodes };
}

/** `a | f x` is `f x a`. */
function pipeline(tokens: readonly Token[], at: number): Expression {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === '(' && token.kind === 'sign') depth += 1;
    if (token.text === ')' && token.kind === 'sign') depth -= 1;
    if (depth === 0 && token.kind === 'sign' && token.text === '|') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  let value: Expression | undefined;
  for (const part of parts) value = command(part, part[0]?.at ?? at, value);
  if (value === undefined) throw templateError(at, 'there is nothing between "{{" and "}}"');
  return value;
}

function command(tokens: readonly Token[], at: number, piped: Expression | undefined): Expression {
  const [first, ...rest] = tokens;
  if (first === undefined) throw templateError(at, 'something is missing here: a field, such as .uuid');
  if (first.kind === 'word') {
    if (!isFunction(first.text)) {
      throw templateError(
        first.at,
        `there is no function "${first.text}"; there are ${Object.keys(FUNCTIONS).join(', ')}. A field begins with a dot: .${first.text}`,
      );
    }
    const args = [...operands(rest), ...(piped === undefined ? [] : [piped])];
    const { least, most } = FUNCTIONS[first.text];
    if (args.length < least || args.length > most)
      throw templateError(first.at, `"${first.text}" takes ${least === most ? least : `${least} or more`} values`);
    return { kind: 'call', name: first.text, args, at: first.at };
  }
  if (piped !== undefined) throw templateError(first.at, 'behind "|" there has to be a function');
  const [only, more] = operands(tokens);
  if (only === undefined || more !== undefined)
    throw templateError(at, 'two values stand beside each other; write each in {{ }} of its own');
  return only;
}

function operands(tokens: readonly Token[]): Expression[] {
  const found: Expression[] = [];
  let index = 0;
  while (index < tokens.length) {
    const token = tokens[index];
    if (token === undefined) break;
    index += 1;
    if (token.kind === 'value') found.push({ kind: 'value', value: token.value ?? '' });
    else if (token.kind === 'field') found.push(fieldOf(token));
    else if (token.kind === 'sign' && token.text === '(') {
      const close = closing(tokens, index, token.at);
      found.push(pipeline(tokens.slice(index, close), token.at));
      index = close + 1;
    } else throw templateError(token.at, `"${token.text}" is out of place; write (${token.text} …) around a call`);
  }
  return found;
}

function closing(tokens: readonly Token[], from: number, at: number): number {
  let depth = 1;
  for (let index = from; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind !== 'sign') continue;
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0) return index;
  }
  throw templateError(at, '"(" is not closed by ")"');
}

function fieldOf({ text }: Token): Expression {
  return { kind: 'field', root: text.startsWith('$'), path: text.replace('$', '').split('.').filter(Boolean) };
}
