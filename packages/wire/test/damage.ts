import * as fc from 'fast-check';
import { test } from 'vitest';

/** Whatever becomes of real packets on their way, `verify` has to take it: it throws, or fails an expectation, if not. */
export function testDamage(packets: readonly Uint8Array[], verify: (bytes: Uint8Array) => void): void {
  const longest = Math.max(...packets.map(({ length }) => length));
  test('every truncation of a real packet is a value', () => {
    for (const packet of packets) for (let end = 0; end <= packet.length; end++) verify(packet.slice(0, end));
  });
  test('every flipped bit of a real packet is a value', () => {
    for (const packet of packets) {
      for (let bit = 0; bit < packet.length * 8; bit++) {
        const flipped = packet.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        verify(flipped);
      }
    }
  });
  test('real packets with bytes overwritten, inserted and removed are values', () => {
    const splice = fc.record({
      packet: fc.constantFrom(...packets),
      at: fc.nat(longest),
      remove: fc.nat(40),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(splice, ({ packet, at, remove, insert }) => {
        const from = at % (packet.length + 1);
        verify(Uint8Array.from([...packet.subarray(0, from), ...insert, ...packet.subarray(from + remove)]));
      }),
      { numRuns: 2000 },
    );
  });
}
