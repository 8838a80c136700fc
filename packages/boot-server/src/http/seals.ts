import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import type { Clock, Entropy } from '@ingot/net';

/** What a sealed text is good for; a text of one purpose opens for no other. */
export type SealPurpose = 'file' | 'nonce' | 'used' | 'up' | 'renewal';

export type SealRefusal =
  /** Not sealed by any of the keys, or changed since. */
  'tampered' | 'expired';

export type Opened =
  | { readonly ok: true; readonly payload: Buffer }
  | { readonly ok: false; readonly reason: SealRefusal };

/**
 * Texts for URLs that say something to their maker and nothing to anybody else: encrypted and authenticated, with an end
 * (AES-256-GCM). Every server with the same key opens them, after a restart too.
 */
export interface Seals {
  /** base64url, without padding: `=` would have to be escaped. */
  seal(purpose: SealPurpose, payload: Uint8Array, lifetimeMs: number): string;
  open(purpose: SealPurpose, text: string): Opened;
}

/** The current key first, then those that it replaced a short while ago. */
export type SigningKeys = readonly [Uint8Array, ...Uint8Array[]];

/** Of a key, in bytes. */
export const KEY_BYTES = 32;
const VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const EXPIRY_BYTES = 4;
const HEAD_BYTES = 1 + KEY_ID_BYTES + IV_BYTES;
/** A URI of 4 KiB, which no store has, and what is around it. */
const MAX_TEXT = 8_192;

interface Key {
  readonly id: Buffer;
  readonly of: (purpose: SealPurpose) => Buffer;
}

/** Seals with the first key, opens with all of them: the others are those that were replaced a short while ago. */
export function createSeals(components: { clock: Clock; entropy: Entropy }, keys: SigningKeys): Seals {
  const { clock, entropy } = components;
  const [current, ...previous] = keys;
  const own = prepare(current);
  const all = [own, ...previous.map(prepare)];
  return {
    seal: (purpose, payload, lifetimeMs) => {
      const head = Buffer.concat([Uint8Array.of(VERSION), own.id, entropy.bytes(IV_BYTES)]);
      const expiry = Buffer.alloc(EXPIRY_BYTES);
      expiry.writeUInt32BE(Math.ceil((clock.now() + lifetimeMs) / 1000));
      const cipher = createCipheriv('aes-256-gcm', own.of(purpose), head.subarray(-IV_BYTES)).setAAD(head);
      const sealed = [cipher.update(expiry), cipher.update(payload), cipher.final()];
      return Buffer.concat([head, ...sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open: (purpose, text) => {
      const tampered = { ok: false, reason: 'tampered' } as const;
      if (text.length > MAX_TEXT || !/^[\w-]+$/.test(text)) return tampered;
      const bytes = Buffer.from(text, 'base64url');
      // The last digit of base64 has bits to spare: one text for one seal.
      if (bytes.toString('base64url') !== text) return tampered;
      if (bytes.byteLength < HEAD_BYTES + EXPIRY_BYTES + TAG_BYTES || bytes[0] !== VERSION) return tampered;
      const head = bytes.subarray(0, HEAD_BYTES);
      const key = all.find(({ id }) => id.equals(head.subarray(1, 1 + KEY_ID_BYTES)));
      if (key === undefined) return tampered;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key.of(purpose), head.subarray(-IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(head).setAuthTag(bytes.subarray(-TAG_BYTES));
        const plain = Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
        if (plain.readUInt32BE(0) * 1000 <= clock.now()) return { ok: false, reason: 'expired' };
        return { ok: true, payload: plain.subarray(EXPIRY_BYTES) };
      } catch {
        return tampered;
      }
    },
  };
}

/** One key for each purpose (RFC 5869), and a name that tells nothing of it. */
function prepare(secret: Uint8Array): Key {
  const derive = (info: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `ingot boot-server ${info}`, length));
  const keys = new Map<SealPurpose, Buffer>();
  return {
    id: createHash('sha256').update(derive('key id', KEY_BYTES)).digest().subarray(0, KEY_ID_BYTES),
    of: (purpose) => {
      const known = keys.get(purpose) ?? derive(purpose, KEY_BYTES);
      keys.set(purpose, known);
      return known;
    },
  };
}
