import { byteAt } from '../bytes.ts';
import { setUint32, uint32At } from '../cursor.ts';
import { bytesOfIpv6, ipv6At } from '../ipv6.ts';
import type { Ipv6 } from '../ipv6.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { Dhcp6MessageType } from './message-type.ts';
import { decodeDhcp6Options, withDhcp6Options } from './option.ts';
import type { Dhcp6Option } from './option.ts';

export const DHCP6_CLIENT_PORT = 546;
export const DHCP6_SERVER_PORT = 547;
/** All_DHCP_Relay_Agents_and_Servers: where clients send (RFC 8415 §7.1). */
export const DHCP6_SERVERS_GROUP = 'ff02::1:2';

/** Between client and server (RFC 8415 §8). */
export interface Dhcp6Message {
  readonly kind: 'message';
  /** Any but RELAY_FORW and RELAY_REPL; types that no RFC names are decoded, too. */
  readonly type: number;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: readonly Dhcp6Option[];
}

/** Between relay and server, or relay and relay (RFC 8415 §9). */
export interface Dhcp6RelayMessage {
  readonly kind: 'relay';
  readonly type: typeof Dhcp6MessageType.RELAY_FORW | typeof Dhcp6MessageType.RELAY_REPL;
  /** Relays that the message passed before this one. */
  readonly hopCount: number;
  /** Of the link that the client is on; `::` where the relay says it by the interface id. */
  readonly linkAddress: Ipv6;
  /** Client or relay that the message came from. */
  readonly peerAddress: Ipv6;
  readonly options: readonly Dhcp6Option[];
}

const HEADER_BYTES = 4;
const RELAY_HEADER_BYTES = 34;

/** Decodes the payload of a UDP datagram, or the value of option 9; what is inside of a relay message stays as it is. */
export function decodeDhcp6(bytes: Uint8Array): Decoded<Dhcp6Message | Dhcp6RelayMessage> {
  const type = byteAt(bytes, 0);
  const isRelay = type === Dhcp6MessageType.RELAY_FORW || type === Dhcp6MessageType.RELAY_REPL;
  const headerBytes = isRelay ? RELAY_HEADER_BYTES : HEADER_BYTES;
  if (bytes.length < headerBytes) {
    return malformed(bytes.length, `this message has at least ${headerBytes} bytes, not ${bytes.length}`);
  }
  const options = decodeDhcp6Options(bytes, headerBytes);
  if (!options.ok) return options;
  if (!isRelay) {
    return accept({
      kind: 'message',
      type,
      transactionId: uint32At(bytes, 0) & 0xff_ffff,
      options: options.value,
    });
  }
  return accept({
    kind: 'relay',
    type,
    hopCount: byteAt(bytes, 1),
    linkAddress: ipv6At(bytes, 2),
    peerAddress: ipv6At(bytes, 18),
    options: options.value,
  });
}

/** The exact reverse of {@link decodeDhcp6}. */
export function encodeDhcp6(message: Dhcp6Message | Dhcp6RelayMessage): Uint8Array {
  if (message.kind === 'message') {
    const head = new Uint8Array(HEADER_BYTES);
    setUint32(head, 0, message.transactionId);
    head[0] = message.type;
    return withDhcp6Options(head, message.options);
  }
  const head = new Uint8Array(RELAY_HEADER_BYTES);
  head[0] = message.type;
  head[1] = message.hopCount;
  head.set(bytesOfIpv6(message.linkAddress), 2);
  head.set(bytesOfIpv6(message.peerAddress), 18);
  return withDhcp6Options(head, message.options);
}

/** Where `part`, a view made by a decoder, starts in `whole`. */
export function offsetWithin(whole: Uint8Array, part: Uint8Array): number {
  return part.byteOffset - whole.byteOffset;
}
