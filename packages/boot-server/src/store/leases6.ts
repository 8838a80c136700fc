import type { DatabaseSync } from 'node:sqlite';
import { parseIpv6, type Ipv6 } from '@ingot/wire';
import { numberOf, textOf, toColumn } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import { parseLeaseState, type LeaseState } from './leases.ts';

/** One IPv6 address that was given out, or found in use by a stranger (`declined`). */
export interface Lease6 {
  readonly address: Ipv6;
  /** Of the client, in hex with colons. */
  readonly duid: string;
  readonly iaid: number;
  /** Lower case with colons; undefined where the client does not tell. */
  readonly mac: string | undefined;
  /** Of the client's DUID, if that is one of a UUID. */
  readonly uuid: string | undefined;
  readonly state: LeaseState;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** IPv6 leases on disk. Every method has written when it returns; within a group, when that is committed. */
export interface Lease6Store {
  all(): Lease6[];
  put(lease: Lease6): void;
  delete(address: Ipv6): void;
  /** Called when a group with rows of leases was not committed: then `all` has what is on disk. Of several, the last one that was given. */
  onRollback(restore: () => void): void;
}

export function lease6Store(database: DatabaseSync, commits?: GroupCommit): Lease6Store {
  const all = database.prepare('SELECT address, duid, iaid, mac, uuid, state, expires_at FROM lease6');
  const put = database.prepare(
    `INSERT INTO lease6 (address, duid, iaid, mac, uuid, state, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (address) DO UPDATE SET duid = excluded.duid, iaid = excluded.iaid, mac = excluded.mac,
       uuid = excluded.uuid, state = excluded.state, expires_at = excluded.expires_at`,
  );
  const remove = database.prepare('DELETE FROM lease6 WHERE address = ?');
  let writtenIn: number | undefined;
  let restore: (() => void) | undefined;
  commits?.onRollback(() => {
    if (writtenIn === commits.group) restore?.();
  });
  const willWrite = (): void => {
    commits?.willWrite();
    writtenIn = commits?.group;
  };
  return {
    all: () =>
      all.all().map((row) => ({
        address: parseAddress(textOf(row['address'], 'address')),
        duid: textOf(row['duid'], 'duid'),
        iaid: numberOf(row['iaid'], 'iaid'),
        mac: row['mac'] === null ? undefined : textOf(row['mac'], 'mac'),
        uuid: row['uuid'] === null ? undefined : textOf(row['uuid'], 'uuid'),
        state: parseLeaseState(textOf(row['state'], 'state')),
        expiresAt: numberOf(row['expires_at'], 'expires_at'),
      })),
    put: ({ address, duid, iaid, mac, uuid, state, expiresAt }) => {
      willWrite();
      put.run(address, duid, iaid, mac ?? null, uuid ?? null, state, toColumn(expiresAt));
    },
    delete: (address) => {
      willWrite();
      remove.run(address);
    },
    onRollback: (given) => {
      restore = given;
    },
  };
}

function parseAddress(text: string): Ipv6 {
  const parsed = parseIpv6(text);
  if (!parsed.ok) throw new TypeError(`column address: ${parsed.reason}`);
  return parsed.value;
}
