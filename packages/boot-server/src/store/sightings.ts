import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { keepNewest } from '../keep-newest.ts';
import { numberOf, textOf, toColumn } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

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
/** Rows of the log, of which at most half are the newest of their NIC; pruning starts here. */
const MAX_ROWS = 131_072;
/** Firmware asks every few seconds: what the disk has is as good as new for this long. */
const SAME_SIGHTING_MS = 10_000;

interface Known {
  uuid: string | undefined;
  seenAt: number;
  writtenAt: number;
  row: number;
}

/**
 * Kept in memory, and as a log on disk: new rows stand side by side on one page, so that hundreds of NICs cost one
 * write. The newest row of a NIC counts.
 */
export function sightingStore(database: DatabaseSync, clock: Clock, commits?: GroupCommit): SightingStore {
  const put = database.prepare('INSERT INTO sighting_log (id, mac, uuid, seen_at) VALUES (?, ?, ?, ?)');
  const prune = database.prepare('DELETE FROM sighting_log WHERE id < ?');
  /** In the order of their rows. */
  const known = new Map<string, Known>();
  let firstRow = 1;
  let nextRow = 1;
  let sincePrune = 0;
  for (const row of database.prepare('SELECT id, mac, uuid, seen_at FROM sighting_log ORDER BY id').iterate()) {
    const mac = textOf(row['mac'], 'mac');
    const seenAt = numberOf(row['seen_at'], 'seen_at');
    const id = numberOf(row['id'], 'id');
    const uuid = row['uuid'] === null ? undefined : textOf(row['uuid'], 'uuid');
    keepNewest(known, mac, { uuid, seenAt, writtenAt: seenAt, row: id }, MAX_SIGHTINGS);
    nextRow = id + 1;
  }
  firstRow = oldest()?.row ?? nextRow;
  commits?.onRollback(() => {
    for (const each of known.values()) each.writtenAt = Number.NEGATIVE_INFINITY;
  });

  function oldest(): Known | undefined {
    for (const first of known.values()) return first;
    return undefined;
  }
  function append(mac: string, uuid: string | undefined, seenAt: number): void {
    commits?.willWrite();
    put.run(nextRow, mac, uuid ?? null, toColumn(seenAt));
    keepNewest(known, mac, { uuid, seenAt, writtenAt: clock.now(), row: nextRow }, MAX_SIGHTINGS);
    nextRow += 1;
  }
  function pruneLog(): void {
    if (nextRow - firstRow > MAX_ROWS) {
      // NICs that were not seen for long keep the old end of the log alive: they move to its new end.
      for (const [mac, { uuid, seenAt }] of [...known.entries()].slice(0, PRUNE_EVERY)) append(mac, uuid, seenAt);
    }
    firstRow = oldest()?.row ?? nextRow;
    commits?.willWrite();
    prune.run(firstRow);
  }

  return {
    saw: (mac, shown) => {
      const now = clock.now();
      const before = known.get(mac);
      const uuid = shown ?? before?.uuid;
      if (before !== undefined && before.uuid === uuid && Math.abs(now - before.writtenAt) < SAME_SIGHTING_MS) {
        before.seenAt = now;
        return;
      }
      append(mac, uuid, now);
      sincePrune += 1;
      if (sincePrune >= PRUNE_EVERY) {
        sincePrune = 0;
        pruneLog();
      }
    },
    find: (mac) => {
      const found = known.get(mac);
      return found === undefined ? undefined : { mac, uuid: found.uuid, seenAt: found.seenAt };
    },
  };
}
