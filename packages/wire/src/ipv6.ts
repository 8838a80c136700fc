import { brand } from './brand.ts';
import type { Branded } from './brand.ts';
import { byteAt } from './bytes.ts';
import { setUint16, uint16At } from './cursor.ts';
import { ipv4At, parseIpv4, writeIpv4 } from './ipv4.ts';
import { macAt } from './mac.ts';
import type { Mac } from './mac.ts';
import { accept, malformed } from './result.ts';
import type { Decoded } from './result.ts';

/** An IPv6 address as RFC 5952 writes it, without a zone: `2001:db8::1`, `::ffff:10.0.0.1`. */
export type Ipv6 = Branded<'Ipv6'>;

/** "No address": a relay that leaves the link to the interface id sends it as its link address. */
export const IPV6_ANY: Ipv6 = brand<'Ipv6'>('::');

const IPV6_BYTES = 16;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** Reads any form of RFC 4291 §2.2, in either case; a zone (`%eth0`) is refused. */
export function parseIpv6(text: string): Decoded<Ipv6> {
  const bytes = new Uint8Array(IPV6_BYTES);
  if (!readInto(bytes, text)) return malformed(0, `${JSON.stringify(text)} is no IPv6 address such as 2001:db8::1`);
  return accept(ipv6At(bytes, 0));
}

/** Sixteen bytes as an address. */
export function ipv6OfBytes(bytes: Uint8Array): Decoded<Ipv6> {
  if (bytes.length !== IPV6_BYTES) return malformed(0, `an IPv6 address has 16 bytes, not ${bytes.length}`);
  return accept(ipv6At(bytes, 0));
}

/** The address at `offset`; the caller has checked that sixteen bytes are there. */
export function ipv6At(bytes: Uint8Array, offset: number): Ipv6 {
  const groups = Array.from({ length: 8 }, (_, index) => uint16At(bytes, offset + index * 2));
  const isMapped = groups.every((group, index) => (index < 5 ? group === 0 : index > 5 || group === 0xffff));
  // RFC 5952 §5: what is known to be an IPv4 address is written as one.
  if (isMapped) return brand<'Ipv6'>(`::ffff:${ipv4At(bytes, offset + 12)}`);
  const zeros = longestZeros(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return brand<'Ipv6'>(text(groups));
  return brand<'Ipv6'>(`${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`);
}

export function bytesOfIpv6(address: Ipv6): Uint8Array {
  const bytes = new Uint8Array(IPV6_BYTES);
  // A branded text came from one of the functions above, so it is readable.
  readInto(bytes, address);
  return bytes;
}

/** 0n to 2^128−1, for counting within a pool. */
export function ipv6ToBigInt(address: Ipv6): bigint {
  let number = 0n;
  for (const byte of bytesOfIpv6(address)) number = number * 256n + BigInt(byte);
  return number;
}

/** The reverse of {@link ipv6ToBigInt}; taken modulo 2^128. */
export function ipv6OfBigInt(number: bigint): Ipv6 {
  const bytes = new Uint8Array(IPV6_BYTES);
  for (let index = IPV6_BYTES - 1, left = number; index >= 0; index--, left >>= 8n) bytes[index] = Number(left & 0xffn);
  return ipv6At(bytes, 0);
}

/** An address block: `2001:db8:1::/64`. `network` has no bits beyond `prefixLength` (0–128). */
export interface Ipv6Subnet {
  readonly network: Ipv6;
  readonly prefixLength: number;
}

/** Reads `2001:db8:1::/64`. Host bits that are set are refused: they hide a mistyped length. */
export function parseIpv6Subnet(text: string): Decoded<Ipv6Subnet> {
  const [, address = '', length = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const network = parseIpv6(address);
  const prefixLength = Number(length);
  if (!network.ok || prefixLength > 128) {
    return malformed(0, `${JSON.stringify(text)} is no subnet such as 2001:db8:1::/64`);
  }
  const hostBits = BigInt(128 - prefixLength);
  if ((ipv6ToBigInt(network.value) >> hostBits) << hostBits !== ipv6ToBigInt(network.value)) {
    return malformed(0, `${text} has bits set beyond its prefix length of ${prefixLength}`);
  }
  return accept({ network: network.value, prefixLength });
}

export function subnet6Contains(subnet: Ipv6Subnet, address: Ipv6): boolean {
  const hostBits = BigInt(128 - subnet.prefixLength);
  return ipv6ToBigInt(subnet.network) >> hostBits === ipv6ToBigInt(address) >> hostBits;
}

/** fe80::/10. */
export function isLinkLocal(address: Ipv6): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

/** ff00::/8. The text of an address that starts so has four digits in its first group. */
export function isMulticast6(address: Ipv6): boolean {
  return /^ff[0-9a-f]{2}:/.test(address);
}

/** The Ethernet address that a modified EUI-64 interface identifier was made of (RFC 4291, appendix A), if it was. */
export function macOfEui64(address: Ipv6): Mac | undefined {
  const bytes = bytesOfIpv6(address);
  if (byteAt(bytes, 11) !== 0xff || byteAt(bytes, 12) !== 0xfe) return undefined;
  const parts = [byteAt(bytes, 8) ^ 0x02, bytes[9], bytes[10], bytes[13], bytes[14], bytes[15]];
  return macAt(Uint8Array.from(parts, Number), 0);
}

/** The longest run of zero groups, the first of several (RFC 5952 §4.2.3). */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** Writes the address into 16 zero bytes; false when `text` is none. */
function readInto(bytes: Uint8Array, text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return false;
  const before = bytesOfGroups(head, tail === undefined);
  const after = tail === undefined ? new Uint8Array(0) : bytesOfGroups(tail, true);
  if (before === undefined || after === undefined) return false;
  const length = before.length + after.length;
  if (tail === undefined ? length !== IPV6_BYTES : length > IPV6_BYTES - 2) return false;
  bytes.set(before);
  bytes.set(after, IPV6_BYTES - after.length);
  return true;
}

/** `1:2:3`, the last part perhaps an IPv4 address; nothing for ''. */
function bytesOfGroups(text: string, mayEndInIpv4: boolean): Uint8Array | undefined {
  const parts = text === '' ? [] : text.split(':');
  const bytes = new Uint8Array(parts.length * 2 + 2);
  let offset = 0;
  for (const [index, part] of parts.entries()) {
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4?.ok) {
      writeIpv4(bytes, offset, ipv4.value);
      offset += 4;
    } else if (GROUP.test(part)) {
      setUint16(bytes, offset, Number.parseInt(part, 16));
      offset += 2;
    } else return undefined;
  }
  return bytes.slice(0, offset);
}
