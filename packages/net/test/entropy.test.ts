import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mockEntropy, systemEntropy, type Entropy } from '../src/index.ts';

const implementations: readonly (readonly [string, Entropy])[] = [
  ['systemEntropy', systemEntropy],
  ['mockEntropy', mockEntropy(1)],
];

describe.each(implementations)('%s', (_, entropy) => {
  it('gives as many bytes as asked for', () => {
    fc.assert(fc.property(fc.nat(100), (count) => entropy.bytes(count).byteLength === count));
  });

  it('gives integers below the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), (bound) => {
        const value = entropy.int(bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
  });

  it('reaches every value of a small range', () => {
    expect(new Set(Array.from({ length: 400 }, () => entropy.int(6))).size).toBe(6);
  });

  it.each([0, -1, 1.5, 2 ** 48])('refuses the bound %d', (bound) => {
    expect(() => entropy.int(bound)).toThrow();
  });
});

describe('mockEntropy', () => {
  it('repeats itself for one seed, and differs between seeds', () => {
    expect(mockEntropy(5).bytes(16)).toEqual(mockEntropy(5).bytes(16));
    expect(mockEntropy(5).bytes(16)).not.toEqual(mockEntropy(6).bytes(16));
  });
});
