/** Milliseconds or bytes; without a unit, a count. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** The quantities in a table's cell, such as `1 s … 30 s`. */
export function quantities(cell: string): number[] {
  return [...cell.matchAll(/(\d{1,3}(?:,\d{3})+|\d+)(?: (ms|s|min|h|days|bytes|[KMG]iB)\b)?/g)].map(
    ([, number = '', unit]) => Number(number.replaceAll(',', '')) * (UNITS[unit ?? 'bytes'] ?? 1),
  );
}

const TERM = String.raw`(?:\d[\d_]*|[A-Z][A-Z_]*)`;
const EXPRESSION = String.raw`${TERM}(?:\s*(?:\*\*?|<<|-)\s*${TERM})*`;

/**
 * The number that `source` gives to a constant, property or directive (`a.b`: the b within a), or that a setting has as
 * its default. Times in milliseconds, whatever unit its name says.
 */
export function numbersOf(source: string, path: string, kind: 'constant' | 'setting'): number {
  const names = path.replaceAll('[]', '').split('.');
  const last = names.at(-1) ?? '';
  const number = kind === 'setting' ? defaultOf(source, names) : assigned(source, names);
  return number * scaleOf(last);
}

/** What makes milliseconds of the number, by the unit in its name. */
function scaleOf(name: string): number {
  if (/(?:Seconds|SECONDS|_S)$/.test(name)) return 1000;
  if (name.endsWith('Minutes')) return 60_000;
  return name.endsWith('DAYS') ? 86_400_000 : 1;
}

function assigned(source: string, names: readonly string[]): number {
  const way = names.map((name) => String.raw`\b${name}\b'?`).join('[^]*?');
  const given = String.raw`\s*(?::\s*number\s*)?[:=]\s*(?:[\w.]+\s*\?\?\s*)?(${EXPRESSION})(s?)\b`;
  const match = new RegExp(way + given).exec(source);
  if (match?.[1] === undefined) throw new Error(`there is no number for ${names.join('.')}`);
  return evaluate(match[1], source) * (match[2] === 's' ? 1000 : 1);
}

function defaultOf(source: string, names: readonly string[]): number {
  const last = names.at(-1) ?? '';
  // Part of a schema may stand in a constant of its own, above the rest: a name that is unique needs no way to it.
  const isUnique = [...source.matchAll(new RegExp(String.raw`\b${last}:\s*z`, 'g'))].length === 1;
  const way = (isUnique ? [last] : names).map((name) => String.raw`\b${name}:\s*z`).join('[^]*?');
  const match = new RegExp(String.raw`${way}[^]*?\.default\((${EXPRESSION})\)`).exec(source);
  if (match?.[1] === undefined) throw new Error(`there is no default for ${names.join('.')}`);
  return evaluate(match[1], source);
}

/** `2 ** 31 - 1`, `1 << 20`, `24 * 60 * 60 * 1000` and `365 * DAY_MS`. */
function evaluate(expression: string, source: string): number {
  const each = (parts: readonly string[]): number[] => parts.map((part) => evaluate(part, source));
  const fold = (separator: RegExp, join: (a: number, b: number) => number): number | undefined => {
    const parts = expression.split(separator);
    return parts.length < 2 ? undefined : each(parts).reduce(join);
  };
  const name = expression.trim();
  return (
    fold(/-/, (a, b) => a - b) ??
    fold(/<</, (a, b) => a * 2 ** b) ??
    fold(/(?<!\*)\*(?!\*)/, (a, b) => a * b) ??
    fold(/\*\*/, (a, b) => a ** b) ??
    (/^\d/.test(name) ? Number(name.replaceAll('_', '')) : assigned(source, [name]))
  );
}

const LIMIT_NAME =
  /(?:_MS|_S|_BYTES|_SECONDS|_DAYS|_TRIES|_COUNT|_LIMIT|Ms|Bytes|Tries|Looks|Length)$|^(?:MAX|MIN|KEPT|TRIES|max)/;

/** Names of a file's constants that look like limits, and of the properties of its objects of limits. */
export function constantsIn(source: string): string[] {
  const constants = [
    ...source.matchAll(new RegExp(String.raw`^(?:export )?const (\w+)(?:: number)? = ${EXPRESSION};`, 'gm')),
  ]
    .map(([, name = '']) => name)
    .filter((name) => LIMIT_NAME.test(name));
  const objects = [...source.matchAll(/^(?:export )?const \w*(?:_LIMITS|ServerLimits)\b[^{]*\{([^}]*)\}/gm)].flatMap(
    ([, body = '']) => [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name),
  );
  return [...constants, ...objects];
}
