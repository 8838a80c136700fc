/** A pattern over a model or a name, ready to be used. */
export interface Glob {
  matches(text: string): boolean;
}

type Part =
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'literal'; readonly char: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/**
 * Compiles a shell pattern as Go's `filepath.Match` reads it, which is what metal-stack's sizes are written for: `*` is
 * any text and `?` any character without a `/`, `[a-c]` and `[^a-c]` are one character, `\` takes the next character as
 * it is. A pattern is for the whole text. Returns what is wrong with a bad one, with the place counted from 1.
 */
export function compileGlob(pattern: string): Glob | { readonly problem: string } {
  const chars = Array.from(pattern);
  const parts: Part[] = [];
  let at = 0;
  const bad = (what: string): { readonly problem: string } => ({ problem: `"${pattern}": ${what}` });
  const inClass = (): number | undefined => {
    const char = chars[at];
    if (char === '-' || char === ']') return undefined;
    if (char === '\\') at += 1;
    const value = chars[at]?.codePointAt(0);
    at += 1;
    return value;
  };
  while (at < chars.length) {
    const char = chars[at] ?? '';
    const startedAt = at + 1;
    at += 1;
    switch (char) {
      case '*':
        parts.push({ kind: 'any' });
        break;
      case '?':
        parts.push({ kind: 'one' });
        break;
      case '\\': {
        const escaped = chars[at];
        if (escaped === undefined) return bad('nothing follows the last "\\"');
        at += 1;
        parts.push({ kind: 'literal', char: escaped });
        break;
      }
      case '[': {
        const negated = chars[at] === '^';
        if (negated) at += 1;
        const ranges: [number, number][] = [];
        while (chars[at] !== ']' || ranges.length === 0) {
          const low = inClass();
          if (low === undefined)
            return bad(
              `the "[" at ${startedAt} is not the start of a class such as "[a-c]"; write "\\[" for the character`,
            );
          let high: number | undefined = low;
          if (chars[at] === '-') {
            at += 1;
            high = inClass();
            if (high === undefined) return bad(`the range in the class at ${startedAt} has no end`);
          }
          ranges.push([low, high]);
        }
        at += 1;
        parts.push({ kind: 'class', negated, ranges });
        break;
      }
      default:
        parts.push({ kind: 'literal', char });
    }
  }
  return { matches: (text) => matchParts(parts, Array.from(text)) };
}

/** The last `*` takes as little as it can; since none takes a `/`, an earlier one never has to be asked again. */
function matchParts(parts: readonly Part[], text: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length || part < parts.length) {
    const wanted = parts[part];
    const char = text[at];
    if (wanted?.kind === 'any') {
      star = part;
      starAt = at;
      part += 1;
    } else if (wanted !== undefined && char !== undefined && matchOne(wanted, char)) {
      part += 1;
      at += 1;
    } else {
      if (star < 0 || starAt >= text.length || text[starAt] === '/') return false;
      starAt += 1;
      part = star + 1;
      at = starAt;
    }
  }
  return true;
}

function matchOne(part: Exclude<Part, { kind: 'any' }>, char: string): boolean {
  switch (part.kind) {
    case 'one':
      return char !== '/';
    case 'literal':
      return char === part.char;
    case 'class': {
      const value = char.codePointAt(0) ?? 0;
      return part.ranges.some(([low, high]) => low <= value && value <= high) !== part.negated;
    }
    default:
      return part satisfies never;
  }
}
