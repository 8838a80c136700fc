import { byteAt, EMPTY, view } from '../bytes.ts';
import { uint16At, uint32At } from '../cursor.ts';
import { ipv4At } from '../ipv4.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Malformed } from '../result.ts';
import { OVERLOAD_FILE, OVERLOAD_SNAME, overloadOf } from './overload.ts';
import {
  BootpOp,
  CHADDR_BYTES,
  CHADDR_OFFSET,
  FILE_BYTES,
  FILE_OFFSET,
  HEADER_BYTES,
  MAGIC_COOKIE,
  OPTIONS_OFFSET,
  SNAME_BYTES,
  SNAME_OFFSET,
} from './packet.ts';
import type { DhcpOption, DhcpPacket } from './packet.ts';
import { walkOptions } from './walk.ts';

/**
 * Decodes the payload of a UDP datagram (RFC 2131 §2).
 *
 * Refused: fewer than 240 bytes, `op` other than 1 or 2, `hlen` above 16, no magic cookie, an option that runs past
 * the end of the options field or of an overloaded `file` or `sname`. Borne, because clients and relays in the field
 * do it: fewer than 300 bytes, a missing END, anything behind END, PADs anywhere, repeated options.
 */
export function decodeDhcp(bytes: Uint8Array): Decoded<DhcpPacket> {
  if (bytes.length < OPTIONS_OFFSET) {
    return malformed(bytes.length, `a DHCP packet has at least ${OPTIONS_OFFSET} bytes, not ${bytes.length}`);
  }
  const op = byteAt(bytes, 0);
  if (op !== BootpOp.REQUEST && op !== BootpOp.REPLY) return malformed(0, `op ${op} is neither request nor reply`);
  const hlen = byteAt(bytes, 2);
  if (hlen > CHADDR_BYTES) return malformed(2, `hlen ${hlen} is more than chaddr's ${CHADDR_BYTES} bytes`);
  if (uint32At(bytes, HEADER_BYTES) !== MAGIC_COOKIE) return malformed(HEADER_BYTES, 'no DHCP magic cookie');

  const options: DhcpOption[] = [];
  const afterEnd = walkOptions(bytes, OPTIONS_OFFSET, bytes.length, options);
  if (typeof afterEnd !== 'number') return afterEnd;
  const packet: DhcpPacket = {
    op,
    htype: byteAt(bytes, 1),
    hlen,
    hops: byteAt(bytes, 3),
    xid: uint32At(bytes, 4),
    secs: uint16At(bytes, 8),
    flags: uint16At(bytes, 10),
    ciaddr: ipv4At(bytes, 12),
    yiaddr: ipv4At(bytes, 16),
    siaddr: ipv4At(bytes, 20),
    giaddr: ipv4At(bytes, 24),
    chaddr: view(bytes, CHADDR_OFFSET, CHADDR_OFFSET + CHADDR_BYTES),
    sname: view(bytes, SNAME_OFFSET, SNAME_OFFSET + SNAME_BYTES),
    file: view(bytes, FILE_OFFSET, FILE_OFFSET + FILE_BYTES),
    options,
    end: afterEnd >= 0,
    trailing: afterEnd >= 0 && afterEnd < bytes.length ? view(bytes, afterEnd, bytes.length) : EMPTY,
  };
  return checkOverloaded(bytes, packet) ?? accept(packet);
}

/** Looks the overloaded fields through once, so that reading their options later cannot fail. */
function checkOverloaded(bytes: Uint8Array, packet: DhcpPacket): Malformed | undefined {
  const overload = overloadOf(packet);
  if ((overload & OVERLOAD_FILE) !== 0) {
    const walked = walkOptions(bytes, FILE_OFFSET, FILE_OFFSET + FILE_BYTES, []);
    if (typeof walked !== 'number') return walked;
  }
  if ((overload & OVERLOAD_SNAME) !== 0) {
    const walked = walkOptions(bytes, SNAME_OFFSET, SNAME_OFFSET + SNAME_BYTES, []);
    if (typeof walked !== 'number') return walked;
  }
  return undefined;
}
