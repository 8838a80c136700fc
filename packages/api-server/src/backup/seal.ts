import { createCipheriv, createDecipheriv, createHash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Protects the parts of a backup, each by itself and in its place. */
export interface Seal {
  /** Bytes that sealing adds. */
  readonly overhead: number;
  seal(index: number, last: boolean, content: Uint8Array): Buffer;
  /** Undefined if anything about it is wrong. */
  open(index: number, last: boolean, sealed: Uint8Array): Buffer | undefined;
}

const TAG_LENGTH = 16;
const DIGEST_LENGTH = 32;

/**
 * AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): the nonce is the number of the
 * part and whether it is the last, so that none can be exchanged, repeated or cut off. Each backup has a key of its own, from
 * `salt`; `header` is authenticated with every part.
 */
export function encryptingSeal(key: Uint8Array, salt: Uint8Array, header: Uint8Array): Seal {
  const own = Buffer.from(hkdfSync('sha256', key, salt, 'ingot backup 1', 32));
  return {
    overhead: TAG_LENGTH,
    seal(index, last, content) {
      const cipher = createCipheriv('aes-256-gcm', own, nonceOf(index, last)).setAAD(header);
      return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    },
    open(index, last, sealed) {
      if (sealed.length < TAG_LENGTH) return undefined;
      const at = sealed.length - TAG_LENGTH;
      const decipher = createDecipheriv('aes-256-gcm', own, nonceOf(index, last), { authTagLength: TAG_LENGTH });
      decipher.setAAD(header).setAuthTag(sealed.subarray(at));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, at)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/** Without a key: SHA-256 over the same things, against damage, though not against malice. */
export function checkingSeal(header: Uint8Array): Seal {
  const digest = (index: number, last: boolean, content: Uint8Array): Buffer =>
    createHash('sha256').update(header).update(nonceOf(index, last)).update(content).digest();
  return {
    overhead: DIGEST_LENGTH,
    seal: (index, last, content) => Buffer.concat([content, digest(index, last, content)]),
    open(index, last, sealed) {
      if (sealed.length < DIGEST_LENGTH) return undefined;
      const at = sealed.length - DIGEST_LENGTH;
      const content = Buffer.from(sealed.subarray(0, at));
      return timingSafeEqual(sealed.subarray(at), digest(index, last, content)) ? content : undefined;
    },
  };
}

/** Seven bytes of nothing, four of the number, one for the last: 96 bits, as GCM likes them. */
function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}
