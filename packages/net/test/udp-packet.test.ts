import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../src/native/internet-checksum.ts';
import { fragmentsOf, udpPacket } from '../src/native/udp-packet.ts';

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

describe('a packet that is longer than the link takes', () => {
  it('goes in fragments that make the whole again, each with a right checksum', () => {
    for (const length of [1_473, 1_480, 3_000, 4_432]) {
      const whole = udpPacket(SERVER, CLIENT, new Uint8Array(length).fill(length));
      const fragments = fragmentsOf(whole, 1_500, 0xabcd);
      expect(fragments.length).toBe(Math.ceil((whole.length - 20) / 1_480));
      const joined = new Uint8Array(whole.length - 20);
      for (const [index, fragment] of fragments.entries()) {
        const view = new DataView(fragment.buffer);
        expect(fragment.length).toBeLessThanOrEqual(1_500);
        expect(internetChecksum(fragment.subarray(0, 20))).toBe(0);
        expect([view.getUint16(2), view.getUint16(4)]).toEqual([fragment.length, 0xabcd]);
        // No "don't fragment", and more to come for all but the last.
        expect(view.getUint16(6) >> 13).toBe(index < fragments.length - 1 ? 1 : 0);
        joined.set(fragment.subarray(20), (view.getUint16(6) & 0x1fff) * 8);
      }
      expect(joined).toEqual(whole.subarray(20));
    }
  });

  it('is left alone where it fits', () => {
    const packet = udpPacket(SERVER, CLIENT, new Uint8Array(1_472));
    expect(fragmentsOf(packet, 1_500, 1)).toEqual([packet]);
  });
});
