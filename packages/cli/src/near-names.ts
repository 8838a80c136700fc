const MOST = 5;

/**
 * The names that somebody who typed `wanted` may have meant, nearest first, at most five: those that begin with it, and
 * those within a few typing mistakes.
 */
export function nearNames(wanted: string, names: readonly string[]): readonly string[] {
  const typed = wanted.toLowerCase();
  const tolerance = Math.max(1, Math.floor(typed.length / 3));
  return names
    .map((name) => ({ name, distance: distanceOf(typed, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MOST)
    .map(({ name }) => name);
}

function distanceOf(typed: string, name: string): number {
  return typed !== '' && name.startsWith(typed) ? 0 : editDistance(typed, name);
}

/** Levenshtein's distance: insertions, deletions and replacements that make one text of the other. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_value, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
