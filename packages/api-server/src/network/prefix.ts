import { ipv4OfNumber, ipv4ToNumber, ipv6OfBigInt, ipv6ToBigInt, parseIpv4, parseIpv6 } from '@ingot/wire';

export type Family = 'ipv4' | 'ipv6';

/** Addresses of a family, from `first` to `last`, as numbers. */
interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** An aligned block of addresses: `10.0.0.0/8`, `2001:db8::/32`. */
export interface Prefix extends Range {
  /** 0 to 32, or to 128. */
  readonly length: number;
}

export const BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

/** Reads an address; undefined if it is none. */
export function parseAddress(text: string): { readonly family: Family; readonly value: bigint } | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4.ok) return { family: 'ipv4', value: BigInt(ipv4ToNumber(ipv4.value)) };
  const ipv6 = parseIpv6(text);
  return ipv6.ok ? { family: 'ipv6', value: ipv6ToBigInt(ipv6.value) } : undefined;
}

export function formatAddress(family: Family, value: bigint): string {
  return family === 'ipv4' ? ipv4OfNumber(Number(value)) : ipv6OfBigInt(value);
}

/** Reads a prefix. Bits beyond its length are cleared when `lenient`, else they make it none: undefined. */
export function parsePrefix(
  text: string,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Prefix | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  const length = Number(digits);
  if (parsed === undefined || length > BITS[parsed.family]) return undefined;
  const prefix = prefixAt(parsed.family, parsed.value, length);
  return lenient || prefix.first === parsed.value ? prefix : undefined;
}

/** The prefix of this length that an address lies in. */
export function prefixAt(family: Family, value: bigint, length: number): Prefix {
  const hostBits = BigInt(BITS[family] - length);
  const first = (value >> hostBits) << hostBits;
  return { family, length, first, last: first + (1n << hostBits) - 1n };
}

export function formatPrefix({ family, first, length }: Prefix): string {
  return `${formatAddress(family, first)}/${length}`;
}

export function containsAddress(prefix: Prefix, family: Family, value: bigint): boolean {
  return prefix.family === family && prefix.first <= value && value <= prefix.last;
}

export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function overlap(one: Range, other: Range): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** Addresses of a prefix that a host may have: not those of the network itself and, with IPv4, of its broadcast. */
export function hostRange({ family, first, last, length }: Prefix): Range {
  // RFC 3021 and RFC 6164: a pair of addresses is a pair of hosts; and so is one alone.
  if (length >= BITS[family] - 1) return { family, first, last };
  return { family, first: first + 1n, last: family === 'ipv4' ? last - 1n : last };
}

/** The lowest free prefix of a length within the first of `parents` that has one; undefined when all are full. */
export function findFreePrefix(
  parents: readonly Prefix[],
  used: readonly Prefix[],
  family: Family,
  length: number,
): Prefix | undefined {
  for (const parent of parents) {
    if (parent.family !== family || parent.length > length) continue;
    const taken = used.filter((one) => overlap(one, parent)).toSorted((a, b) => compareBigInt(a.first, b.first));
    let candidate = prefixAt(family, parent.first, length);
    for (const one of taken) {
      if (one.first > candidate.last) break;
      // The first aligned place behind it.
      if (one.last >= candidate.first && one.last < parent.last) {
        const behind = prefixAt(family, one.last, length);
        candidate = prefixAt(family, behind.last === parent.last ? behind.first : behind.last + 1n, length);
      }
    }
    if (containsPrefix(parent, candidate) && !taken.some((one) => overlap(one, candidate))) return candidate;
  }
  return undefined;
}

/** The lowest free address of a family within `prefixes`, in their order; undefined when all are taken. */
export function findFreeAddress(
  prefixes: readonly Prefix[],
  isUsed: (value: bigint) => boolean,
  family: Family,
): bigint | undefined {
  for (const prefix of prefixes) {
    if (prefix.family !== family) continue;
    const { first, last } = hostRange(prefix);
    for (let value = first; value <= last; value += 1n) if (!isUsed(value)) return value;
  }
  return undefined;
}

/** The fewest prefixes that have exactly the same addresses, sorted: IPv4 first, then by address. */
export function compactPrefixes(prefixes: readonly Prefix[]): Prefix[] {
  const sorted = prefixes.toSorted((a, b) =>
    a.family === b.family ? compareBigInt(a.first, b.first) || a.length - b.length : a.family < b.family ? -1 : 1,
  );
  const kept: Prefix[] = [];
  for (const prefix of sorted) {
    const before = kept.at(-1);
    if (before !== undefined && containsPrefix(before, prefix)) continue;
    kept.push(prefix);
    // Two halves are one whole, again and again.
    for (;;) {
      const [left, right] = kept.slice(-2);
      if (left === undefined || right === undefined || left.length !== right.length || left.family !== right.family)
        break;
      const whole = prefixAt(left.family, left.first, left.length - 1);
      if (left.length === 0 || whole.first !== left.first || whole.last !== right.last) break;
      kept.splice(-2, 2, whole);
    }
  }
  return kept;
}

function compareBigInt(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
