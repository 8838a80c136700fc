import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { numberOf, textOf, toColumn } from './database.ts';

/** A NIC that asked for a boot by DHCP or PXE. */
export interface Sighting {
  readonly mac: string;
  readonly uuid: string | undefined;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
}

export interface SightingStore {
  /** Notes that `mac` asked just now; a uuid once shown is kept when a later packet has none. */
  saw(mac: string, uuid: string | undefined): void;
  find(mac: string): Sighting | undefined;
}

/** More NICs than one boot server will meet; whoever invents MACs pushes out the longest unseen, not the disk. */
const MAX_SIGHTINGS = 65_536;
const PRUNE_EVERY = 1_024;

export function sightingStore(database: DatabaseSync, clock: Clock): SightingStore {
  const put = database.prepare(
    `INSERT INTO sighting (mac, uuid, seen_at) VALUES (?, ?, ?)
     ON CONFLICT (mac) DO UPDATE SET uuid = COALESCE(excluded.uuid, uuid), seen_at = excluded.seen_at`,
  );
  const get = database.prepare('SELECT mac, uuid, seen_at FROM sighting WHERE mac = ?');
  const prune = database.prepare(
    'DELETE FROM sighting WHERE mac IN (SELECT mac FROM sighting ORDER BY seen_at DESC LIMIT -1 OFFSET ?)',
  );
  let sincePrune = 0;
  return {
    saw: (mac, uuid) => {
      put.run(mac, uuid ?? null, toColumn(clock.now()));
      sincePrune += 1;
      if (sincePrune >= PRUNE_EVERY) {
        sincePrune = 0;
        prune.run(MAX_SIGHTINGS);
      }
    },
    find: (mac) => {
      const row = get.get(mac);
      if (row === undefined) return undefined;
      return {
        mac: textOf(row['mac'], 'mac'),
        uuid: row['uuid'] === null ? undefined : textOf(row['uuid'], 'uuid'),
        seenAt: numberOf(row['seen_at'], 'seen_at'),
      };
    },
  };
}
