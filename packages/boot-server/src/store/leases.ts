import type { DatabaseSync } from 'node:sqlite';
import { numberOf, textOf, toColumn } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

export type LeaseState = 'bound' | 'released' | 'declined';

/** One address that was given out, or found in use by a stranger (`declined`, with the mac of who said so). */
export interface Lease {
  /** Unsigned 32-bit number. */
  readonly address: number;
  /** Lower case with colons. */
  readonly mac: string;
  /** The SMBIOS UUID that the client showed in option 97, now or earlier. */
  readonly uuid: string | undefined;
  readonly state: LeaseState;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Leases on disk. Every method has written when it returns; within a group, when that is committed. */
export interface LeaseStore {
  all(): Lease[];
  put(lease: Lease): void;
  delete(address: number): void;
  /** Called when a group was not committed, with what is on disk of the addresses that it would have changed; of several, the last one that was given. */
  onRollback(restore: (rows: ReadonlyMap<number, Lease | undefined>) => void): void;
}

export function leaseStore(database: DatabaseSync, commits?: GroupCommit): LeaseStore {
  const all = database.prepare('SELECT address, mac, uuid, state, expires_at FROM lease');
  const put = database.prepare(
    `INSERT INTO lease (address, mac, uuid, state, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (address) DO UPDATE SET mac = excluded.mac, uuid = excluded.uuid, state = excluded.state, expires_at = excluded.expires_at`,
  );
  const remove = database.prepare('DELETE FROM lease WHERE address = ?');
  const get = database.prepare('SELECT address, mac, uuid, state, expires_at FROM lease WHERE address = ?');
  /** Addresses that the running group writes to. */
  const touched = new Set<number>();
  let group = 0;
  let restore: ((rows: ReadonlyMap<number, Lease | undefined>) => void) | undefined;
  commits?.onRollback(() => {
    if (commits.group !== group) return;
    const rows = new Map<number, Lease | undefined>();
    for (const address of touched) {
      const row = get.get(address);
      rows.set(address, row === undefined ? undefined : leaseOf(row));
    }
    touched.clear();
    restore?.(rows);
  });
  const touch = (address: number): void => {
    if (commits === undefined) return;
    commits.willWrite();
    if (commits.group !== group) touched.clear();
    group = commits.group;
    touched.add(address);
  };
  return {
    all: () => all.all().map(leaseOf),
    put: (lease) => {
      touch(lease.address);
      put.run(lease.address, lease.mac, lease.uuid ?? null, lease.state, toColumn(lease.expiresAt));
    },
    delete: (address) => {
      touch(address);
      remove.run(address);
    },
    onRollback: (given) => {
      restore = given;
    },
  };
}

function leaseOf(row: Record<string, unknown>): Lease {
  return {
    address: numberOf(row['address'], 'address'),
    mac: textOf(row['mac'], 'mac'),
    uuid: row['uuid'] === null ? undefined : textOf(row['uuid'], 'uuid'),
    state: parseLeaseState(textOf(row['state'], 'state')),
    expiresAt: numberOf(row['expires_at'], 'expires_at'),
  };
}

/** A `state` column; throws when the file was tampered with. */
export function parseLeaseState(text: string): LeaseState {
  if (text === 'bound' || text === 'released' || text === 'declined') return text;
  throw new TypeError(`lease state ${text} is unknown`);
}
