import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../src/native/internet-checksum.ts';
import { udpPacket } from '../src/native/udp-packet.ts';

const SERVER = { address: '10.0.0.1', port: 67 };
const CLIENT = { address: '10.0.0.100', port: 68 };

/** What the UDP checksum is over: the pseudo header of RFC 768, then header and data. */
function pseudoAndDatagram(packet: Uint8Array): Uint8Array {
  const datagram = packet.subarray(20);
  return Uint8Array.of(...packet.subarray(12, 20), 0, 17, datagram.length >> 8, datagram.length & 0xff, ...datagram);
}

describe('a UDP packet for a frame', () => {
  it('has the headers of RFC 791 and RFC 768', () => {
    expect(Buffer.from(udpPacket(SERVER, CLIENT, Uint8Array.of(1, 2, 3))).toString('hex')).toBe(
      ['4500001f00004000', '4011266a', '0a000001', '0a000064', '00430044000be6ea', '010203'].join(''),
    );
  });

  it('has right checksums for every length, and never the one that says there is none', () => {
    for (let length = 0; length < 300; length += 1) {
      const packet = udpPacket(SERVER, CLIENT, new Uint8Array(length).fill(length));
      expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
      expect(internetChecksum(pseudoAndDatagram(packet))).toBe(0);
    }
    // Data that make the sum zero.
    const zero = udpPacket(SERVER, CLIENT, Uint8Array.of(0, 0));
    const rest = ((zero[26] ?? 0) << 8) | (zero[27] ?? 0);
    const packet = udpPacket(SERVER, CLIENT, Uint8Array.of(rest >> 8, rest & 0xff));
    expect([packet[26], packet[27]]).toEqual([0xff, 0xff]);
  });
});
