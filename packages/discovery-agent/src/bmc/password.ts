import type { Entropy } from '@ingot/net';
import { Secret } from '../secret.ts';

const lower = 'abcdefghijkmnpqrstuvwxyz';
const upper = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const digits = '23456789';
const alphabet = lower + upper + digits;

/**
 * A password of `length` characters (16 or 20 for IPMI, at least 8). Letters and digits only, which every BMC and every
 * shell takes; all three classes, as the complexity rules of iLO, XCC and Supermicro's BMCs ask for; none of 0 O 1 l I, and
 * no character twice in a row. 20 characters are 115 bits, 16 are 92.
 */
export function generatePassword(entropy: Entropy, length: number): Secret {
  if (length < 8) throw new RangeError(`a password has 8 characters or more, not ${length}`);
  for (;;) {
    let text = '';
    while (text.length < length) {
      const next = alphabet[entropy.int(alphabet.length)] ?? '';
      if (!text.endsWith(next)) text += next;
    }
    // Drawn anew rather than mended, so that all that are allowed stay equally likely.
    const hasAll = [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(text));
    if (hasAll) return new Secret(text);
  }
}
