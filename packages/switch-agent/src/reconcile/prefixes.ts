import { ipv4OfNumber, ipv6OfBigInt } from '@ingot/wire';
import { networkOf, parseIpPrefix } from '../ip-prefix.ts';

/** A range of addresses: `base` has its host bits zero. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly base: bigint;
  /** 0 to 32, or to 128. */
  readonly length: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** Reads CIDR notation; host bits are cleared, since FRR does so too. Undefined when it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const read = text.includes('/') ? parseIpPrefix(text) : undefined;
  return read && { family: read.bits === 32 ? 4 : 6, base: networkOf(read), length: read.length };
}

export function formatPrefix({ family, base, length }: Prefix): string {
  const address = family === 4 ? ipv4OfNumber(Number(base)) : ipv6OfBigInt(base);
  return `${address}/${length}`;
}

/** IPv4 before IPv6, then by address, then the wider one first. */
function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.base !== b.base) return a.base < b.base ? -1 : 1;
  return a.length - b.length;
}

/** Sorted, and each once. */
export function uniquePrefixes(prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes
    .toSorted(comparePrefixes)
    .filter((prefix, at, all) => at === 0 || comparePrefixes(prefix, all[at - 1] ?? prefix) !== 0);
}

/** The fewest prefixes that cover the same addresses, sorted. */
export function compactPrefixes(prefixes: readonly Prefix[]): readonly Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of uniquePrefixes(prefixes)) {
    const last = kept.at(-1);
    if (last !== undefined && covers(last, prefix)) continue;
    kept.push(prefix);
    // Two halves become their whole, which may be a half itself.
    for (let whole = wholeOfLastTwo(kept); whole !== undefined; whole = wholeOfLastTwo(kept)) {
      kept.splice(-2, 2, whole);
    }
  }
  return kept;
}

function masked(family: 4 | 6, address: bigint, length: number): Prefix {
  const hostBits = BigInt(WIDTH[family] - length);
  return { family, base: (address >> hostBits) << hostBits, length };
}

function covers(wide: Prefix, narrow: Prefix): boolean {
  return (
    wide.family === narrow.family &&
    wide.length <= narrow.length &&
    masked(wide.family, narrow.base, wide.length).base === wide.base
  );
}

function wholeOfLastTwo(prefixes: readonly Prefix[]): Prefix | undefined {
  const [a, b] = prefixes.slice(-2);
  if (a === undefined || b === undefined || a.family !== b.family || a.length !== b.length || a.length === 0) {
    return undefined;
  }
  const whole = masked(a.family, a.base, a.length - 1);
  return whole.base === a.base && covers(whole, b) ? whole : undefined;
}
