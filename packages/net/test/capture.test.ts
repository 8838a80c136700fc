import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUdpPacket } from '../src/native/capture.ts';
import { udpPacket } from '../src/native/udp-packet.ts';

const source = { address: '10.0.1.1', port: 67 };
const target = { address: '10.0.0.1', port: 67 };

describe('a captured packet', () => {
  it('is read as it was sent, without what the link put behind it', () => {
    const data = Uint8Array.of(1, 2, 3);
    const packet = udpPacket(source, target, data);
    expect(readUdpPacket(packet)).toEqual({ data, source, target });
    expect(readUdpPacket(Uint8Array.of(...packet, 0, 0, 0))).toEqual({ data, source, target });
  });

  it('with options in its IP header is read, too', () => {
    const packet = udpPacket(source, target, Uint8Array.of(9));
    const longer = Uint8Array.of(...packet.subarray(0, 20), 1, 1, 1, 1, ...packet.subarray(20));
    longer[0] = 0x46;
    expect(readUdpPacket(longer)?.data).toEqual(Uint8Array.of(9));
  });

  it('cut short anywhere is none', () => {
    const packet = udpPacket(source, target, new Uint8Array(40));
    for (let length = 0; length < packet.length; length += 1)
      expect(readUdpPacket(packet.subarray(0, length))).toBeUndefined();
  });

  it('of rubbish never throws', () => {
    assert(property(uint8Array({ maxLength: 80 }), (bytes) => void readUdpPacket(bytes)));
  });
});
