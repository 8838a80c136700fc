import type { Endpoint } from '../udp.ts';
import { checksumOf, internetChecksum } from './internet-checksum.ts';

const IP_BYTES = 20;
const UDP_BYTES = 8;
const IPPROTO_UDP = 17;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;

/** An IPv4 packet (RFC 791) with a UDP datagram (RFC 768) in it, both with their checksums. Addresses are dotted. */
export function udpPacket(source: Endpoint, target: Endpoint, data: Uint8Array): Uint8Array {
  const packet = new Uint8Array(udpPacketLength(data));
  writeUdpPacket(packet, 0, source, target, data);
  return packet;
}

export function udpPacketLength(data: Uint8Array): number {
  return IP_BYTES + UDP_BYTES + data.byteLength;
}

/** Writes the packet into `bytes` from `start` on, which must have room; gives the offset behind it. */
export function writeUdpPacket(
  bytes: Uint8Array,
  start: number,
  source: Endpoint,
  target: Endpoint,
  data: Uint8Array,
): number {
  const length = UDP_BYTES + data.byteLength;
  const udp = start + IP_BYTES;
  const end = udp + length;
  // Version 4, five words of header.
  bytes[start] = 0x45;
  bytes[start + 1] = 0;
  writeUint16(bytes, start + 2, IP_BYTES + length);
  writeUint16(bytes, start + 4, 0);
  writeUint16(bytes, start + 6, DONT_FRAGMENT);
  bytes[start + 8] = TTL;
  bytes[start + 9] = IPPROTO_UDP;
  writeUint16(bytes, start + 10, 0);
  writeDotted(bytes, start + 12, source.address);
  writeDotted(bytes, start + 16, target.address);
  writeUint16(bytes, start + 10, checksumOf(bytes, start, udp));
  writeUint16(bytes, udp, source.port);
  writeUint16(bytes, udp + 2, target.port);
  writeUint16(bytes, udp + 4, length);
  writeUint16(bytes, udp + 6, 0);
  bytes.set(data, udp + UDP_BYTES);
  // The pseudo header: both addresses, the protocol and the length. Both sums are of whole words, and 16 bits each.
  const pseudo = 0xffff - checksumOf(bytes, start + 12, udp, IPPROTO_UDP + length);
  // 0 would say that there is none.
  writeUint16(bytes, udp + 6, checksumOf(bytes, udp, end, pseudo) || 0xffff);
  return end;
}

function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Four bytes of a dotted address. */
export function writeDotted(bytes: Uint8Array, at: number, address: string): void {
  let part = 0;
  let index = at;
  for (let position = 0; position < address.length; position += 1) {
    const code = address.charCodeAt(position);
    if (code === 0x2e) {
      bytes[index] = part;
      index += 1;
      part = 0;
    } else part = part * 10 + code - 0x30;
  }
  bytes[index] = part;
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
