import { EMPTY } from '../bytes.ts';
import type { Ipv4 } from '../ipv4.ts';
import { macAt, macOfBytes } from '../mac.ts';
import type { Mac } from '../mac.ts';
import { malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { view } from '../bytes.ts';
import { OptionCode } from './option-code.ts';

/** The fixed BOOTP header (RFC 951) without cookie and options. */
export const HEADER_BYTES = 236;
/** Header and magic cookie: where the options begin. */
export const OPTIONS_OFFSET = 240;
/** RFC 2131 §3: the first four bytes of the options field, 99.130.83.99. */
export const MAGIC_COOKIE = 0x63_82_53_63;
export const CHADDR_OFFSET = 28;
export const SNAME_OFFSET = 44;
export const FILE_OFFSET = 108;
export const CHADDR_BYTES = 16;
export const SNAME_BYTES = 64;
export const FILE_BYTES = 128;

/** `op`: who speaks. */
export const BootpOp = { REQUEST: 1, REPLY: 2 } as const;
export type BootpOp = (typeof BootpOp)[keyof typeof BootpOp];

/** `htype` of Ethernet (RFC 1700, hardware types). */
export const HTYPE_ETHERNET = 1;

/** The B bit of `flags`: the client cannot yet receive unicast (RFC 2131 §2, figure 2). */
export const FLAG_BROADCAST = 0x8000;

/** UDP ports. */
export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;
export const PXE_SERVER_PORT = 4011;

/**
 * One option as it stands on the wire. `data` is at most 255 bytes in a decoded packet; in a packet to be encoded it
 * may be longer and is split as RFC 3396 says. A PAD is `{code: 0, data: empty}`.
 */
export interface DhcpOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** Header fields by RFC 2131's names. */
export interface DhcpHeader {
  readonly op: BootpOp;
  /** Hardware type; 1 is Ethernet. */
  readonly htype: number;
  /** Length of the hardware address in `chaddr`, 0–16. InfiniBand sends 0 (RFC 4390). */
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  /** Seconds since the client began. */
  readonly secs: number;
  readonly flags: number;
  readonly ciaddr: Ipv4;
  readonly yiaddr: Ipv4;
  readonly siaddr: Ipv4;
  readonly giaddr: Ipv4;
  /** All 16 bytes, whatever `hlen` says. */
  readonly chaddr: Uint8Array;
  /** All 64 bytes. */
  readonly sname: Uint8Array;
  /** All 128 bytes. */
  readonly file: Uint8Array;
}

/**
 * A DHCP packet without loss: what was accepted is encoded to the same bytes again. The byte fields of a decoded
 * packet are windows on the datagram, not copies: whoever writes into the datagram changes the packet.
 */
export interface DhcpPacket extends DhcpHeader {
  /** The options field in wire order, each piece of a split option on its own, PADs included, END not. */
  readonly options: readonly DhcpOption[];
  /** Whether an END (255) closes the options. Some clients and relays leave it out. */
  readonly end: boolean;
  /** What follows END: mostly the zeros that fill a BOOTP packet. Empty without END. */
  readonly trailing: Uint8Array;
}

/** The one PAD object that all decoded packets share. */
export const PAD: DhcpOption = { code: OptionCode.PAD, data: EMPTY };

/** The first `hlen` bytes of `chaddr`. */
export function hardwareAddress(packet: DhcpHeader): Uint8Array {
  return view(packet.chaddr, 0, packet.hlen);
}

/** The client's MAC, if its hardware is Ethernet. */
export function packetMac(packet: DhcpHeader): Decoded<Mac> {
  if (packet.htype !== HTYPE_ETHERNET || packet.hlen !== 6) {
    return malformed(1, `hardware type ${packet.htype} with ${packet.hlen} address bytes is not Ethernet`);
  }
  return macOfBytes(hardwareAddress(packet));
}

/** The same of bytes that may be no whole packet, and need make no sense: whose they are is worth knowing yet. */
export function macOfDhcpBytes(bytes: Uint8Array): Mac | undefined {
  const isEthernet = bytes[1] === HTYPE_ETHERNET && bytes[2] === MAC_BYTES;
  return isEthernet && bytes.length >= CHADDR_OFFSET + MAC_BYTES ? macAt(bytes, CHADDR_OFFSET) : undefined;
}

const MAC_BYTES = 6;

export function wantsBroadcast(packet: DhcpHeader): boolean {
  return (packet.flags & FLAG_BROADCAST) !== 0;
}
