import type { Entropy } from './entropy.ts';

/**
 * Repeatable randomness for tests: the same seed gives the same values for ever. Not for secrets.
 * The generator is SplitMix32: a Weyl sequence through a 32-bit finaliser.
 */
export function mockEntropy(seed = 1): Entropy {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next32() & 0xff),
    int: (maxExclusive) => {
      if (!Number.isInteger(maxExclusive) || maxExclusive < 1 || maxExclusive >= 2 ** 48) {
        throw new RangeError(`int() takes an integer in [1, 2^48), not ${maxExclusive}`);
      }
      // 53 bits, the most a number carries: the bias for any allowed range is below 2^-5 of one value.
      const bits53 = (next32() >>> 5) * 2 ** 26 + (next32() >>> 6);
      return Math.floor((bits53 / 2 ** 53) * maxExclusive);
    },
  };
}
