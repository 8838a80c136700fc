/**
 * Marks and values for `IN (…)`. The list is filled up with its last value to a power of two, so that lists of every
 * length need only a few prepared statements.
 */
export function sqlList<T>(values: readonly T[]): { readonly marks: string; readonly values: readonly T[] } {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)));
  const last = values.at(-1);
  const filled = last === undefined ? [] : [...values, ...Array.from({ length: size - values.length }, () => last)];
  // `IN ()` is no SQL in PostgreSQL, and nothing is equal to NULL.
  return { marks: filled.length === 0 ? 'NULL' : filled.map(() => '?').join(', '), values: filled };
}

/** Parts of at most 512, far below what either database takes in one statement. */
export function* inParts<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < values.length; at += AT_ONCE) yield values.slice(at, at + AT_ONCE);
}

const AT_ONCE = 512;
