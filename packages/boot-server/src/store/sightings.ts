import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { numberOf, textOf, toColumn } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import { nicLog } from './nic-log.ts';

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

export interface SightingOptions {
  readonly commits?: GroupCommit;
  /** Called for every NIC that is seen: to write what must survive together with its sighting. */
  readonly onSaw?: (mac: string) => void;
}

/** More NICs than one boot server will meet; whoever invents MACs pushes out the longest unseen, not the disk. */
const MAX_SIGHTINGS = 65_536;
/** Firmware asks every few seconds: what the disk has is as good as new for this long. */
const SAME_SIGHTING_MS = 10_000;

interface Known {
  readonly uuid: string | undefined;
  seenAt: number;
  readonly writtenAt: number;
}

export function sightingStore(database: DatabaseSync, clock: Clock, options: SightingOptions = {}): SightingStore {
  const { commits, onSaw } = options;
  const log = nicLog<Known>({
    database,
    commits,
    table: 'sighting_log',
    columns: ['uuid', 'seen_at'],
    toRow: ({ uuid, seenAt }) => [uuid ?? null, toColumn(seenAt)],
    fromRow: (row) => {
      const seenAt = numberOf(row['seen_at'], 'seen_at');
      return { uuid: row['uuid'] === null ? undefined : textOf(row['uuid'], 'uuid'), seenAt, writtenAt: seenAt };
    },
    max: MAX_SIGHTINGS,
  });
  return {
    saw: (mac, shown) => {
      onSaw?.(mac);
      const now = clock.now();
      const before = log.find(mac);
      const uuid = shown ?? before?.value.uuid;
      if (before?.isOnDisk === true && before.value.uuid === uuid) {
        const { value } = before;
        if (Math.abs(now - value.writtenAt) < SAME_SIGHTING_MS) {
          value.seenAt = now;
          return;
        }
      }
      log.write(mac, { uuid, seenAt: now, writtenAt: now });
    },
    find: (mac) => {
      const found = log.find(mac)?.value;
      return found === undefined ? undefined : { mac, uuid: found.uuid, seenAt: found.seenAt };
    },
  };
}
