import type { Endpoint } from '../udp.ts';
import { internetChecksum } from './internet-checksum.ts';

const IP_BYTES = 20;
const UDP_BYTES = 8;
const IPPROTO_UDP = 17;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;

/** An IPv4 packet (RFC 791) with a UDP datagram (RFC 768) in it, both with their checksums. Addresses are dotted. */
export function udpPacket(source: Endpoint, target: Endpoint, data: Uint8Array): Uint8Array {
  const length = UDP_BYTES + data.byteLength;
  const packet = new Uint8Array(IP_BYTES + length);
  const view = new DataView(packet.buffer);
  // Version 4, five words of header.
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.byteLength);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, TTL);
  view.setUint8(9, IPPROTO_UDP);
  packet.set(source.address.split('.').map(Number), 12);
  packet.set(target.address.split('.').map(Number), 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, IP_BYTES)));
  view.setUint16(IP_BYTES, source.port);
  view.setUint16(IP_BYTES + 2, target.port);
  view.setUint16(IP_BYTES + 4, length);
  packet.set(data, IP_BYTES + UDP_BYTES);
  // The pseudo header: both addresses, the protocol and the length. Both sums are of whole words, and 16 bits each.
  const pseudo = 0xffff - internetChecksum(packet.subarray(12, IP_BYTES), IPPROTO_UDP + length);
  // 0 would say that there is none.
  view.setUint16(IP_BYTES + 6, internetChecksum(packet.subarray(IP_BYTES), pseudo) || 0xffff);
  return packet;
}

const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_UNIT = 8;

/** A packet of `udpPacket` in pieces that fit a link (RFC 791 §2.3); itself, if it does. `id` (16 bits) names the whole. */
export function fragmentsOf(packet: Uint8Array, mtu: number, id: number): Uint8Array[] {
  if (packet.byteLength <= mtu) return [packet];
  const most = Math.floor((mtu - IP_BYTES) / FRAGMENT_UNIT) * FRAGMENT_UNIT;
  const fragments: Uint8Array[] = [];
  for (let at = IP_BYTES; at < packet.byteLength; at += most) {
    const data = packet.subarray(at, at + most);
    const fragment = new Uint8Array(IP_BYTES + data.byteLength);
    fragment.set(packet.subarray(0, IP_BYTES));
    fragment.set(data, IP_BYTES);
    const view = new DataView(fragment.buffer);
    view.setUint16(2, fragment.byteLength);
    view.setUint16(4, id);
    view.setUint16(
      6,
      (at - IP_BYTES) / FRAGMENT_UNIT + (at + data.byteLength < packet.byteLength ? MORE_FRAGMENTS : 0),
    );
    view.setUint16(10, 0);
    view.setUint16(10, internetChecksum(fragment.subarray(0, IP_BYTES)));
    fragments.push(fragment);
  }
  return fragments;
}
