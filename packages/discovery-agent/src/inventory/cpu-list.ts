/** No kernel runs more processors than this; 8192 is the most that Linux can be built for on x86-64. */
const maxProcessors = 65_536;

/** Numbers of a list as sysfs writes it: `0-3,8-11`. What is malformed is left out. */
export function parseCpuList(text: string): Set<number> {
  const numbers = new Set<number>();
  for (const [, from, to] of text.matchAll(/(\d+)(?:-(\d+))?/g)) {
    const last = Math.min(Number(to ?? from), maxProcessors - 1);
    for (let number = Number(from); number <= last; number++) numbers.add(number);
  }
  return numbers;
}

/** The other way round. */
export function formatCpuList(numbers: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.last === number - 1) range.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
