/** Randomness as a component, so that a test can seed it (`mockEntropy`). */
export interface Entropy {
  /** `count` random bytes; in production fit for nonces and tokens. */
  bytes(count: number): Uint8Array;
  /** A uniformly distributed integer in [0, maxExclusive); `maxExclusive` is an integer in [1, 2^48), anything else throws. */
  int(maxExclusive: number): number;
}
