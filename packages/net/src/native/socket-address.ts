import { endianness } from 'node:os';
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../udp.ts';

/** socket(2) */
export const AF_INET = 2;
export const AF_INET6 = 10;
/** Of struct sockaddr_in6, the longer one. */
const SOCKET_ADDRESS_BYTES = 28;
const IPV4_BYTES = 16;

/** struct sockaddr_in or sockaddr_in6 of a literal address without a zone; throws RangeError for anything else. */
export function packSocketAddress({ address, port }: Endpoint): Uint8Array {
  const isV6 = isIPv6(address);
  if (!isV6 && !isIPv4(address)) throw new RangeError(`${address} is no literal IP address`);
  const packed = new Uint8Array(isV6 ? SOCKET_ADDRESS_BYTES : IPV4_BYTES);
  const view = new DataView(packed.buffer);
  view.setUint16(0, isV6 ? AF_INET6 : AF_INET, endianness() === 'LE');
  view.setUint16(2, port);
  if (isV6) packed.set(bytesOfIpv6(address), 8);
  else packed.set(address.split('.').map(Number), 4);
  return packed;
}

/** RFC 4291 §2.2. */
function bytesOfIpv6(address: string): Uint8Array {
  // The URL parser writes ::ffff:1.2.3.4 in hexadecimal, and compresses nothing but the longest row of zeros.
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
