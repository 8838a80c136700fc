import {
  IP_BITS,
  ipPrefixAt,
  ipRangeCovers,
  ipRangesOverlap,
  type IpFamily,
  type IpPrefix,
  type IpRange,
} from '@ingot/wire';

/** Addresses of a prefix that a host may have: not those of the network itself and, with IPv4, of its broadcast. */
export function hostRange({ family, first, last, length }: IpPrefix): IpRange {
  // RFC 3021 and RFC 6164: a pair of addresses is a pair of hosts; and so is one alone.
  if (length >= IP_BITS[family] - 1) return { family, first, last };
  return { family, first: first + 1n, last: family === 'ipv4' ? last - 1n : last };
}

/** The lowest free prefix of a length within the first of `parents` that has one; undefined when all are full. */
export function findFreePrefix(
  parents: readonly IpPrefix[],
  used: readonly IpPrefix[],
  family: IpFamily,
  length: number,
): IpPrefix | undefined {
  const at = (value: bigint): IpPrefix => ipPrefixAt({ family, value }, length);
  for (const parent of parents) {
    if (parent.family !== family || parent.length > length) continue;
    const taken = used
      .filter((one) => ipRangesOverlap(one, parent))
      .toSorted((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first)));
    let candidate = at(parent.first);
    for (const one of taken) {
      if (one.first > candidate.last) break;
      // The first aligned place behind it.
      if (one.last >= candidate.first && one.last < parent.last) {
        const behind = at(one.last);
        candidate = at(behind.last === parent.last ? behind.first : behind.last + 1n);
      }
    }
    if (ipRangeCovers(parent, candidate) && !taken.some((one) => ipRangesOverlap(one, candidate))) return candidate;
  }
  return undefined;
}

/** The lowest free address of a family within `prefixes`, in their order; undefined when all are taken. */
export function findFreeAddress(
  prefixes: readonly IpPrefix[],
  isUsed: (value: bigint) => boolean,
  family: IpFamily,
): bigint | undefined {
  for (const prefix of prefixes) {
    if (prefix.family !== family) continue;
    const { first, last } = hostRange(prefix);
    for (let value = first; value <= last; value += 1n) if (!isUsed(value)) return value;
  }
  return undefined;
}
