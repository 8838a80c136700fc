/** A key of an object somewhere in a JSON text. */
export interface JsonKey {
  /** The keys from the outermost object to this one; items of a list are not counted. */
  readonly path: readonly string[];
  /** Where its quote stands in the text. */
  readonly offset: number;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** Every key of a JSON text that `JSON.parse` has taken, in the order of the text, repeated ones too. */
export function* jsonKeys(text: string): Generator<JsonKey> {
  // Per open bracket: the key that its values stand under; undefined in a list, which adds nothing to the path.
  const open: Array<{ key: string | undefined; readonly isObject: boolean }> = [];
  let last: { readonly text: string; readonly offset: number } | undefined;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const inner = open.at(-1);
    if (token === '{' || token === '[') {
      open.push({ key: undefined, isObject: token === '{' });
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ':' && last !== undefined && inner?.isObject === true) {
      inner.key = textOf(last.text);
      yield { path: open.flatMap(({ key }) => (key === undefined ? [] : [key])), offset: last.offset };
    }
    last = { text: token, offset: index };
  }
}

/** `line:column` of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${offset - before.lastIndexOf('\n')}`;
}

function textOf(token: string): string {
  const value: unknown = JSON.parse(token);
  return typeof value === 'string' ? value : token;
}
