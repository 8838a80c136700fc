import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Entropy } from '@ingot/net';
import { numberOf, textOf, toColumn } from './database.ts';

/** Why a nonce does not open a configuration. */
export type NonceRefusal =
  | 'nonce-missing'
  | 'nonce-unknown'
  | 'nonce-used'
  | 'nonce-expired'
  | 'nonce-of-another-machine';

export type NonceCheck =
  | { readonly ok: true; readonly mac: string }
  | { readonly ok: false; readonly reason: NonceRefusal };

export interface NonceStore {
  /**
   * A fresh nonce for the boot of `uuid` through `mac`: 32 hex digits, good once and for `lifetimeMs`. The last one of
   * the same NIC stops to count if it was not used: a machine boots once at a time.
   */
  issue(mac: string, uuid: string): string;
  /** Whether `nonce` would open the configuration of `uuid` now; changes nothing. */
  check(nonce: string, uuid: string): NonceCheck;
  /** Uses the nonce up. False when somebody else did in the meantime. */
  consume(nonce: string): boolean;
}

const NONCE_BYTES = 16;
/** Used and expired nonces are kept for a day, so that a refusal can say which it was. */
const KEEP_MS = 24 * 60 * 60 * 1000;

/** Nonces on disk, as SHA-256 hashes only: reading the file opens no configuration. */
export function nonceStore(
  database: DatabaseSync,
  options: { clock: Clock; entropy: Entropy; lifetimeMs: number },
): NonceStore {
  const { clock, entropy, lifetimeMs } = options;
  const supersede = database.prepare('DELETE FROM nonce WHERE mac = ? AND used_at IS NULL');
  const purge = database.prepare('DELETE FROM nonce WHERE expires_at < ?');
  const put = database.prepare('INSERT INTO nonce (hash, mac, uuid, expires_at) VALUES (?, ?, ?, ?)');
  const get = database.prepare('SELECT mac, uuid, expires_at, used_at FROM nonce WHERE hash = ?');
  const use = database.prepare('UPDATE nonce SET used_at = ? WHERE hash = ? AND used_at IS NULL');
  return {
    issue: (mac, uuid) => {
      const nonce = Buffer.from(entropy.bytes(NONCE_BYTES)).toString('hex');
      purge.run(toColumn(clock.now() - KEEP_MS));
      supersede.run(mac);
      put.run(hashOf(nonce), mac, uuid, toColumn(clock.now() + lifetimeMs));
      return nonce;
    },
    check: (nonce, uuid) => {
      if (nonce === '') return { ok: false, reason: 'nonce-missing' };
      const row = get.get(hashOf(nonce));
      if (row === undefined) return { ok: false, reason: 'nonce-unknown' };
      if (textOf(row['uuid'], 'uuid') !== uuid) return { ok: false, reason: 'nonce-of-another-machine' };
      if (row['used_at'] !== null) return { ok: false, reason: 'nonce-used' };
      if (numberOf(row['expires_at'], 'expires_at') <= clock.now()) return { ok: false, reason: 'nonce-expired' };
      return { ok: true, mac: textOf(row['mac'], 'mac') };
    },
    consume: (nonce) => use.run(toColumn(clock.now()), hashOf(nonce)).changes === 1,
  };
}

function hashOf(nonce: string): Uint8Array {
  return createHash('sha256').update(nonce).digest();
}
