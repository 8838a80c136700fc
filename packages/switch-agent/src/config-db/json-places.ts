/** A key of an object somewhere in a JSON text. */
export interface JsonKey {
  /** The keys from the outermost object to this one; items of a list are not counted. */
  readonly path: readonly string[];
  /** Where its quote stands in the text. */
  readonly offset: number;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

// CONFIG_DB has tables, rows and fields; the path of a key costs as much as it is deep.
const DEEPEST = 4;

/**
 * Every key of a JSON text that `JSON.parse` has taken, in the order of the text, repeated ones too; those below a field
 * of a row are left out.
 */
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
      if (open.length <= DEEPEST) {
        yield { path: open.flatMap(({ key }) => (key === undefined ? [] : [key])), offset: last.offset };
      }
    }
    last = { text: token, offset: index };
  }
}

/** Gives `line:column` of an offset, both from 1. The lines are counted once, with the first question. */
export function lineFinder(text: string): (offset: number) => string {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return `${low + 1}:${offset - (starts[low] ?? 0) + 1}`;
  };
}

function textOf(token: string): string {
  const value: unknown = JSON.parse(token);
  return typeof value === 'string' ? value : token;
}
