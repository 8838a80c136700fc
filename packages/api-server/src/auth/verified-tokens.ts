import { createHash } from 'node:crypto';

/** What a token says of itself, once its signature was found good. */
export interface VerifiedToken {
  /** `jti`: the record that the token stands for. */
  readonly uuid: string | undefined;
  /** `nbf` and `exp`, milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Tokens whose signature was found good lately: an agent shows the same one with every call, and a signature over P-521
 * costs more than most calls. Whether it was revoked is not remembered: that is asked every time.
 */
export interface VerifiedTokens {
  get(bearer: string): VerifiedToken | undefined;
  add(bearer: string, token: VerifiedToken): void;
}

/** The tokens of a large hall; some 200 bytes each. */
const MAX_REMEMBERED = 16_384;

export function createVerifiedTokens(): VerifiedTokens {
  const known = new Map<string, VerifiedToken>();
  // No tokens in memory longer than needed, and keys of one length.
  const keyOf = (bearer: string): string => createHash('sha256').update(bearer).digest('base64');
  return {
    get(bearer) {
      const key = keyOf(bearer);
      const token = known.get(key);
      if (token === undefined) return undefined;
      // Back to the end: the front is what was not used for the longest time.
      known.delete(key);
      known.set(key, token);
      return token;
    },
    add(bearer, token) {
      known.set(keyOf(bearer), token);
      if (known.size <= MAX_REMEMBERED) return;
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    },
  };
}
