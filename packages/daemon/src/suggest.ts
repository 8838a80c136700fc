/** The word of `known` that `unknown` is most likely a slip of; undefined when none is near. */
export function suggest(unknown: string, known: readonly string[]): string | undefined {
  const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_.]/g, '');
  // A third of the letters wrong is still a slip; more is another word.
  let nearest = Math.max(1, Math.floor(unknown.length / 3)) + 1;
  let found: string | undefined;
  for (const word of known) {
    const distance = editDistance(plain(unknown), plain(word));
    if (distance < nearest) {
      nearest = distance;
      found = word;
    }
  }
  return found;
}

/** Levenshtein distance; a swap of neighbours counts as one (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
