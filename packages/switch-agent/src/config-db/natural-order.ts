/**
 * Compares as `natsort` does, which `sonic-cfggen` sorts the rows of a table with: runs of digits by their value, so that
 * `Ethernet4` comes before `Ethernet12`, everything else by code.
 */
export function naturalOrder(left: string, right: string): number {
  const lefts = left.split(DIGITS);
  const rights = right.split(DIGITS);
  for (const [index, a] of lefts.entries()) {
    const b = rights[index];
    if (b === undefined) return 1;
    const order = index % 2 === 1 ? compareDigits(a, b) : codeOrder(a, b);
    if (order !== 0) return order;
  }
  // Numbers that differ in their leading zeros only still need one order.
  return lefts.length - rights.length || codeOrder(left, right);
}

/** Compares by code units, as Python and C++ sort plain ASCII texts. */
export function codeOrder(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

// Captured, so that `split` keeps the digits: they are every second part.
const DIGITS = /(\d+)/;

// Without their leading zeros the longer one is the larger one, however long.
function compareDigits(left: string, right: string): number {
  const [a, b] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  return a.length - b.length || codeOrder(a, b);
}
