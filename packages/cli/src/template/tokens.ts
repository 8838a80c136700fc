import { CliError, CliErrorCode } from '../errors.ts';

/** A part of a template: text as it stands, or the words between `{{` and `}}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number };

export interface Token {
  readonly kind: 'field' | 'word' | 'value' | 'sign';
  readonly text: string;
  /** What a `value` is. */
  readonly value?: string | number | boolean;
  /** Where it begins, counted in characters from 0. */
  readonly at: number;
}

const TOKEN =
  /(?<space>\s+)|(?<field>\$?(?:\.[A-Za-z_]\w*)+|\$|\.(?![\w]))|(?<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|(?<word>[A-Za-z]\w*)|(?<sign>[|()])/y;

/** Says what is wrong with a template, and where. */
export function templateError(at: number, problem: string): CliError {
  return new CliError(CliErrorCode.Argument, `--template, character ${at + 1}: ${problem}`);
}

/** Splits a template into text and actions. Throws CliError. */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let trimNext = false;
  const text = (raw: string, trimEnd: boolean): void => {
    const begun = trimNext ? raw.trimStart() : raw;
    const trimmed = trimEnd ? begun.trimEnd() : begun;
    if (trimmed !== '') pieces.push({ kind: 'text', text: trimmed });
  };
  let at = 0;
  for (;;) {
    const open = source.indexOf('{{', at);
    if (open < 0) {
      text(source.slice(at), false);
      return pieces;
    }
    const trims = /^\{\{-\s/.test(source.slice(open, open + 4));
    text(source.slice(at, open), trims);
    const action = readAction(source, open + (trims ? 3 : 2));
    if (action.tokens.length > 0) pieces.push({ kind: 'action', tokens: action.tokens, at: open });
    trimNext = action.trims;
    at = action.end;
  }
}

function readAction(source: string, start: number): { tokens: Token[]; trims: boolean; end: number } {
  const comment = /\s*\/\*[^]*?\*\/\s*(-?)\}\}/y;
  comment.lastIndex = start;
  const commented = comment.exec(source);
  if (commented !== null) return { tokens: [], trims: commented[1] === '-', end: comment.lastIndex };
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const end = /\s*(\s-)?\}\}/y;
    end.lastIndex = at;
    const ended = end.exec(source);
    if (ended !== null) return { tokens, trims: ended[1] !== undefined, end: end.lastIndex };
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(source)?.groups;
    if (groups === undefined) {
      if (at >= source.length) throw templateError(start, '"{{" is not closed by "}}"');
      throw templateError(at, `"${source.slice(at, at + 10)}" is not understood`);
    }
    const token = tokenOf(groups, at);
    if (token !== undefined) tokens.push(token);
    at = TOKEN.lastIndex;
  }
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, at: number): Token | undefined {
  const { field, text, number, word, sign } = groups;
  if (field !== undefined) return { kind: 'field', text: field, at };
  if (text !== undefined) return { kind: 'value', text, value: stringOf(text, at), at };
  if (number !== undefined) return { kind: 'value', text: number, value: Number(number), at };
  if (word === 'true' || word === 'false') return { kind: 'value', text: word, value: word === 'true', at };
  if (word !== undefined) return { kind: 'word', text: word, at };
  return sign === undefined ? undefined : { kind: 'sign', text: sign, at };
}

function stringOf(text: string, at: number): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    throw templateError(at, `${text} has an escape that is not understood; there are \\n, \\t, \\", \\\\ and \\u0041`);
  }
}
