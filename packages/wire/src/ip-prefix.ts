import { ipv4OfNumber, ipv4ToNumber, parseIpv4 } from './ipv4.ts';
import { ipv6OfBigInt, ipv6ToBigInt, parseIpv6 } from './ipv6.ts';
import { accept, malformed } from './result.ts';
import type { Decoded } from './result.ts';

export type IpFamily = 'ipv4' | 'ipv6';

/** How many bits an address has. */
export const IP_BITS: Readonly<Record<IpFamily, number>> = { ipv4: 32, ipv6: 128 };

/** An address of either family, as a number. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly value: bigint;
}

/** Addresses of a family, from `first` to `last`. */
export interface IpRange {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

/** An aligned block of addresses: `10.0.0.0/8`, `2001:db8::/32`. */
export interface IpPrefix extends IpRange {
  /** 0 to 32, or to 128. */
  readonly length: number;
}

/** An address together with the block that it lies in, as interfaces have them: `10.0.1.1/24`. */
export interface InterfaceAddress extends IpPrefix {
  readonly value: bigint;
}

/** Reads an address of either family, without a length and without a zone. */
export function parseIpAddress(text: string): Decoded<IpAddress> {
  const ipv4 = parseIpv4(text);
  if (ipv4.ok) return accept({ family: 'ipv4', value: BigInt(ipv4ToNumber(ipv4.value)) });
  const ipv6 = parseIpv6(text);
  if (ipv6.ok) return accept({ family: 'ipv6', value: ipv6ToBigInt(ipv6.value) });
  return malformed(0, `${JSON.stringify(text)} is no IP address such as 10.0.0.1 or 2001:db8::1`);
}

/** An address as RFC 5952, or dotted decimals, write it. */
export function formatIpAddress({ family, value }: IpAddress): string {
  return family === 'ipv4' ? ipv4OfNumber(Number(value)) : ipv6OfBigInt(value);
}

/** Reads `10.0.1.1/24`: bits behind the length are the address's. A length with leading zeros is refused, as in addresses. */
export function parseInterfaceAddress(text: string): Decoded<InterfaceAddress> {
  const [, written = '', digits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = parseIpAddress(written);
  const length = Number(digits);
  if (!address.ok || length > IP_BITS[address.value.family]) {
    return malformed(0, `${JSON.stringify(text)} is no prefix such as 10.0.0.0/8 or 2001:db8::/32`);
  }
  const { family, value } = address.value;
  return accept({ ...ipPrefixAt(address.value, length), family, value });
}

/** Reads `10.0.0.0/8`. Bits behind the length are refused: they hide a mistyped length, and the reason has the prefix. */
export function parseIpPrefix(text: string): Decoded<IpPrefix> {
  const read = parseInterfaceAddress(text);
  if (!read.ok) return read;
  const { value, ...prefix } = read.value;
  if (value === prefix.first) return accept(prefix);
  return malformed(0, `${text} has bits beyond its length; write ${formatIpPrefix(prefix)}`);
}

/** The prefix of this length that an address lies in; the length is one of the family's. */
export function ipPrefixAt({ family, value }: IpAddress, length: number): IpPrefix {
  const hostBits = BigInt(IP_BITS[family] - length);
  const first = (value >> hostBits) << hostBits;
  return { family, length, first, last: first + (1n << hostBits) - 1n };
}

export function formatIpPrefix({ family, first, length }: IpPrefix): string {
  return `${formatIpAddress({ family, value: first })}/${length}`;
}

export function ipRangeContains(range: IpRange, { family, value }: IpAddress): boolean {
  return range.family === family && range.first <= value && value <= range.last;
}

export function ipRangeCovers(outer: IpRange, inner: IpRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

export function ipRangesOverlap(one: IpRange, other: IpRange): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** For sorting: IPv4 before IPv6, then by the first address, then the wider one first. */
export function compareIpPrefixes(a: IpPrefix, b: IpPrefix): number {
  if (a.family !== b.family) return a.family < b.family ? -1 : 1;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.length - b.length;
}

/** The fewest prefixes that have exactly the same addresses, sorted. */
export function compactIpPrefixes(prefixes: readonly IpPrefix[]): IpPrefix[] {
  const kept: IpPrefix[] = [];
  for (const prefix of prefixes.toSorted(compareIpPrefixes)) {
    const before = kept.at(-1);
    if (before !== undefined && ipRangeCovers(before, prefix)) continue;
    kept.push(prefix);
    // Two halves become their whole, which may be a half itself.
    for (let whole = wholeOfLastTwo(kept); whole !== undefined; whole = wholeOfLastTwo(kept)) kept.splice(-2, 2, whole);
  }
  return kept;
}

function wholeOfLastTwo(prefixes: readonly IpPrefix[]): IpPrefix | undefined {
  const [left, right] = prefixes.slice(-2);
  if (left === undefined || right === undefined || left.length !== right.length || left.length === 0) return undefined;
  const whole = ipPrefixAt({ family: left.family, value: left.first }, left.length - 1);
  return whole.first === left.first && ipRangeCovers(whole, right) ? whole : undefined;
}
