import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { firstOfExchange } from '../limits/first-of-exchange.ts';
import { isStoreError, numberOf, storeFailureWords, textOf, toColumn } from './database.ts';
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
  /** As `saw`, for an answer that leases nothing: known at once, and on disk once `flush` could write it. */
  sawBeside(mac: string, uuid: string | undefined): void;
  /**
   * Writes, as a group of its own, who was seen beside. Never throws: where the disk takes nothing the log says so, and
   * who was seen is known until the process ends, or is written when its NIC asks again.
   */
  flush(): void;
  find(mac: string): Sighting | undefined;
}

export interface SightingOptions {
  readonly commits?: GroupCommit;
  readonly log?: Logger;
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
  const { commits, onSaw, log } = options;
  const isFirst = firstOfExchange(clock);
  const rows = nicLog<Known>({
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
  /** Seen beside since the last flush. */
  const waiting = new Set<string>();
  /** What is to be kept of a NIC that asks now; undefined when the disk has as good as that. */
  const news = (mac: string, shown: string | undefined): Known | undefined => {
    const now = clock.now();
    const before = rows.find(mac);
    const uuid = shown ?? before?.value.uuid;
    if (before?.isOnDisk === true && before.value.uuid === uuid) {
      const { value } = before;
      if (Math.abs(now - value.writtenAt) < SAME_SIGHTING_MS) {
        value.seenAt = now;
        return undefined;
      }
    }
    return { uuid, seenAt: now, writtenAt: now };
  };
  const write = (macs: readonly string[]): void => {
    for (const mac of macs) {
      onSaw?.(mac);
      const entry = rows.find(mac);
      if (entry?.isOnDisk === false) rows.write(mac, entry.value);
    }
  };
  return {
    saw: (mac, shown) => {
      onSaw?.(mac);
      const known = news(mac, shown);
      if (known !== undefined) rows.write(mac, known);
    },
    sawBeside: (mac, shown) => {
      const known = news(mac, shown);
      if (known !== undefined) rows.hold(mac, known);
      waiting.add(mac);
    },
    flush: () => {
      if (waiting.size === 0) return;
      const macs = [...waiting];
      waiting.clear();
      try {
        if (commits === undefined) write(macs);
        else commits.run(() => write(macs));
      } catch (error) {
        const words = isStoreError(error) ? storeFailureWords(error) : String(error);
        if (isFirst(words))
          log?.error(
            { event: 'store.failed', err: error },
            `machines that are leased nothing here are answered, and not written down: ${words}`,
          );
        for (const mac of macs)
          log?.debug(
            { mac, event: 'sighting.unwritten' },
            'that it asked is not on disk: it is known until the server ends',
          );
      }
    },
    find: (mac) => {
      const found = rows.find(mac)?.value;
      return found === undefined ? undefined : { mac, uuid: found.uuid, seenAt: found.seenAt };
    },
  };
}
