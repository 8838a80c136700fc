import { brand } from './brand.ts';
import type { Branded } from './brand.ts';
import { byteAt } from './bytes.ts';
import { setUint32 } from './cursor.ts';
import { accept, malformed } from './result.ts';
import type { Decoded } from './result.ts';

/** An IPv4 address in dotted decimals without leading zeros: `10.0.1.1`. */
export type Ipv4 = Branded<'Ipv4'>;

/** "No address" in every DHCP header field. */
export const IPV4_ANY: Ipv4 = brand<'Ipv4'>('0.0.0.0');
export const IPV4_BROADCAST: Ipv4 = brand<'Ipv4'>('255.255.255.255');

const DOTTED = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Reads dotted decimals. Leading zeros are refused: some programs take them for octal. */
export function parseIpv4(text: string): Decoded<Ipv4> {
  if (!DOTTED.test(text) || text.split('.').some((part) => Number(part) > 255)) {
    return malformed(0, `${JSON.stringify(text)} is no IPv4 address such as 10.0.0.1`);
  }
  return accept(brand<'Ipv4'>(text));
}

/** Four bytes as an address. */
export function ipv4OfBytes(bytes: Uint8Array): Decoded<Ipv4> {
  if (bytes.length !== 4) return malformed(0, `an IPv4 address has 4 bytes, not ${bytes.length}`);
  return accept(ipv4At(bytes, 0));
}

/** The address at `offset`; the caller has checked that four bytes are there. */
export function ipv4At(bytes: Uint8Array, offset: number): Ipv4 {
  const a = byteAt(bytes, offset);
  const b = byteAt(bytes, offset + 1);
  const c = byteAt(bytes, offset + 2);
  const d = byteAt(bytes, offset + 3);
  // Most header fields of most packets are zero; they cost no string.
  if ((a | b | c | d) === 0) return IPV4_ANY;
  return brand<'Ipv4'>(`${a}.${b}.${c}.${d}`);
}

export function bytesOfIpv4(address: Ipv4): Uint8Array {
  const bytes = new Uint8Array(4);
  writeIpv4(bytes, 0, address);
  return bytes;
}

export function writeIpv4(bytes: Uint8Array, offset: number, address: Ipv4): void {
  setUint32(bytes, offset, ipv4ToNumber(address));
}

/** 0 to 2^32−1, for comparing and counting within a subnet. */
export function ipv4ToNumber(address: Ipv4): number {
  if (address === IPV4_ANY) return 0;
  let number = 0;
  let part = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code === 0x2e) {
      number = number * 256 + part;
      part = 0;
    } else part = part * 10 + code - 0x30;
  }
  return number * 256 + part;
}

/** The reverse of {@link ipv4ToNumber}; taken modulo 2^32. */
export function ipv4OfNumber(number: number): Ipv4 {
  const bytes = new Uint8Array(4);
  setUint32(bytes, 0, number);
  return ipv4At(bytes, 0);
}

/** An address block: `10.0.1.0/24`. `network` has no bits beyond `prefixLength` (0–32). */
export interface Ipv4Subnet {
  readonly network: Ipv4;
  readonly prefixLength: number;
}

/** Reads `10.0.1.0/24`. Host bits that are set are refused: they hide a mistyped length. */
export function parseIpv4Subnet(text: string): Decoded<Ipv4Subnet> {
  const [, address = '', length = ''] = /^([^/]*)\/(\d|[12]\d|3[012])$/.exec(text) ?? [];
  const network = parseIpv4(address);
  if (!network.ok) return malformed(0, `${JSON.stringify(text)} is no subnet such as 10.0.1.0/24`);
  const prefixLength = Number(length);
  if ((ipv4ToNumber(network.value) & ~maskBits(prefixLength)) !== 0) {
    return malformed(0, `${text} has bits set beyond its prefix length of ${prefixLength}`);
  }
  return accept({ network: network.value, prefixLength });
}

export function subnetContains(subnet: Ipv4Subnet, address: Ipv4): boolean {
  return ((ipv4ToNumber(subnet.network) ^ ipv4ToNumber(address)) & maskBits(subnet.prefixLength)) === 0;
}

/** The netmask as option 1 carries it. */
export function subnetMask(subnet: Ipv4Subnet): Ipv4 {
  return ipv4OfNumber(maskBits(subnet.prefixLength));
}

export function subnetBroadcast(subnet: Ipv4Subnet): Ipv4 {
  return ipv4OfNumber(ipv4ToNumber(subnet.network) | ~maskBits(subnet.prefixLength));
}

// A shift by 32 is a shift by 0 in JavaScript, hence the special case.
function maskBits(prefixLength: number): number {
  return prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
}
