import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Entropy } from '@ingot/net';
import type { Seals } from '../http/seals.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import { isStoreError, numberOf, toColumn } from './database.ts';

/** Why a nonce does not open a configuration. */
export type NonceRefusal =
  | 'nonce-missing'
  | 'nonce-unknown'
  | 'nonce-replaced'
  | 'nonce-used'
  | 'nonce-expired'
  | 'nonce-of-another-machine';

export type NonceCheck =
  | { readonly ok: true; readonly mac: string; readonly uuid: string }
  | { readonly ok: false; readonly reason: NonceRefusal };

/**
 * A nonce says itself, sealed, whose it is and until when: any server with the same key takes it. That it was used, and
 * that a later one replaced it, is what a store remembers.
 */
export interface NonceStore {
  /**
   * A fresh nonce for the boot of `uuid` through `mac`: good once and for `lifetimeMs`. The last one of the same NIC
   * stops to count if it was not used: a machine boots once at a time. Where nothing can be written that is forgotten
   * at the next start or reload.
   */
  issue(mac: string, uuid: string): string;
  /** Whether `nonce` would open a configuration now, that of `uuid` if given; changes nothing. */
  check(nonce: string, uuid?: string): NonceCheck;
  /** Uses the nonce up. False when somebody else did in the meantime. */
  consume(nonce: string): boolean;
  /** Whether what has this fingerprint was used here. */
  isUsed(fingerprint: Uint8Array): boolean;
  /** What other servers know a nonce by; opens nothing. */
  fingerprint(nonce: string): Buffer;
  /** Notes what another server says was used there; false when it was used here before. */
  consumeFingerprint(fingerprint: Uint8Array): boolean;
}

/** Longer than a nonce lives. */
const KEEP_LAST_MS = 24 * 60 * 60 * 1000;
/** Longer than anything lives that is noted here: a renewal, which is good for three days. */
const KEEP_USED_MS = 4 * 24 * 60 * 60 * 1000;
/** NICs whose last nonce could not be written. */
const MAX_UNWRITTEN = 16_384;
/** So that two of one millisecond differ; the seal's own random number is not part of what is sealed. */
const SALT_BYTES = 4;
const MAC_TEXT = 17;
const UUID_TEXT = 36;

/** What tells a NIC's last nonce from those before. */
interface LastNonce {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly salt: number;
}

export function nonceStore(
  database: DatabaseSync,
  options: { clock: Clock; entropy: Entropy; seals: Seals; lifetimeMs: number },
): NonceStore {
  const { clock, entropy, seals, lifetimeMs } = options;
  const putUsed = database.prepare('INSERT OR IGNORE INTO used_nonce (fingerprint, used_at) VALUES (?, ?)');
  const getUsed = database.prepare('SELECT used_at FROM used_nonce WHERE fingerprint = ?');
  const purgeUsed = database.prepare('DELETE FROM used_nonce WHERE used_at < ?');
  const putLast = database.prepare(
    `INSERT INTO last_nonce (mac, issued_at, salt) VALUES (?, ?, ?)
     ON CONFLICT (mac) DO UPDATE SET issued_at = excluded.issued_at, salt = excluded.salt`,
  );
  const getLast = database.prepare('SELECT issued_at, salt FROM last_nonce WHERE mac = ?');
  const purgeLast = database.prepare('DELETE FROM last_nonce WHERE issued_at < ?');
  const use = (fingerprint: Uint8Array): boolean => {
    purgeUsed.run(toColumn(clock.now() - KEEP_USED_MS));
    return putUsed.run(fingerprint, toColumn(clock.now())).changes === 1;
  };
  const unwritten = new Map<string, LastNonce>();
  const keepLast = (mac: string, last: LastNonce): void => {
    try {
      purgeLast.run(toColumn(clock.now() - KEEP_LAST_MS));
      putLast.run(mac, last.issuedAt, last.salt);
      unwritten.delete(mac);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // The machine boots on: that it uses the nonce has to be written before it opens anything.
      keepNewest(unwritten, mac, last, MAX_UNWRITTEN);
    }
  };
  const lastOf = (mac: string): LastNonce | undefined => {
    const held = unwritten.get(mac);
    if (held !== undefined) return held;
    const row = getLast.get(mac);
    return row && { issuedAt: numberOf(row['issued_at'], 'issued_at'), salt: numberOf(row['salt'], 'salt') };
  };
  return {
    issue: (mac, uuid) => {
      const issuedAt = toColumn(clock.now());
      const salt = Buffer.from(entropy.bytes(SALT_BYTES)).readUInt32BE();
      keepLast(mac, { issuedAt, salt });
      const head = Buffer.alloc(12);
      head.writeDoubleBE(issuedAt);
      head.writeUInt32BE(salt, 8);
      return seals.seal('nonce', Buffer.concat([head, Buffer.from(mac + uuid)]), lifetimeMs);
    },
    check: (nonce, uuid) => {
      if (nonce === '') return { ok: false, reason: 'nonce-missing' };
      const opened = seals.open('nonce', nonce);
      if (!opened.ok) return { ok: false, reason: opened.reason === 'expired' ? 'nonce-expired' : 'nonce-unknown' };
      const issuedAt = opened.payload.readDoubleBE();
      const salt = opened.payload.readUInt32BE(8);
      const text = opened.payload.toString('latin1', 12);
      const mac = text.slice(0, MAC_TEXT);
      const own = text.slice(MAC_TEXT, MAC_TEXT + UUID_TEXT);
      if (uuid !== undefined && own !== uuid) return { ok: false, reason: 'nonce-of-another-machine' };
      if (getUsed.get(fingerprintOf(nonce)) !== undefined) return { ok: false, reason: 'nonce-used' };
      const last = lastOf(mac);
      // Another server's clock may be ahead: only what this one issued later replaces.
      if (last !== undefined && (last.issuedAt > issuedAt || (last.issuedAt === issuedAt && last.salt !== salt)))
        return { ok: false, reason: 'nonce-replaced' };
      return { ok: true, mac, uuid: own };
    },
    consume: (nonce) => use(fingerprintOf(nonce)),
    isUsed: (fingerprint) => getUsed.get(fingerprint) !== undefined,
    fingerprint: fingerprintOf,
    consumeFingerprint: use,
  };
}

function fingerprintOf(nonce: string): Buffer {
  return createHash('sha256').update(nonce).digest();
}
