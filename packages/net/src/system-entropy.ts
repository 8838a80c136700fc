import { randomBytes, randomInt } from 'node:crypto';
import type { Entropy } from './entropy.ts';

/** The kernel's randomness, by way of OpenSSL's generator: fit for secrets. */
export const systemEntropy: Entropy = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  int: (maxExclusive) => randomInt(maxExclusive),
};
