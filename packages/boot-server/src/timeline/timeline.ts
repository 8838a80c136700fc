import type { LogFields, LogLevel } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { RecencyMap } from './recency.ts';
import type { BootStage } from './stages.ts';
import { newTrack, record, type TimelineEntry, type Track } from './track.ts';

/** What happened to each NIC lately. */
export interface Timeline {
  append(level: LogLevel, mac: string, event: string, fields: LogFields, msg: string): void;
  /** Undefined when nothing was heard of it within `MAX_AGE_MS`. */
  find(mac: string): Track | undefined;
  /** In no order. */
  tracks(): Track[];
  /** Calls `listener` with each new entry; call the result to end that. It must not throw. */
  onEntry(listener: (track: Track, entry: TimelineEntry) => void): () => void;
}

/**
 * NICs that took something which an invented one cannot: a whole file by TFTP, a script (which the admission gate
 * gives to a NIC that DHCP has seen), a configuration. Whoever sends DISCOVERs for a million MACs pushes out none of
 * them, only other NICs that are known from DHCP alone.
 */
const PROOFS: ReadonlySet<string> = new Set(['tftp.done', 'http.script', 'config.given', 'config.renewed', 'agent.up']);

/** NICs that really boot. */
const MAX_BOOTING = 4_096;
/** Entries of one; the oldest quarter goes when it is full. A boot has some 20. */
const MAX_ENTRIES = 256;
/** Entries of all of them: some 60 MB. */
const MAX_ENTRIES_IN_ALL = 131_072;
/** NICs that are known from DHCP only, and entries of one. */
const MAX_CANDIDATES = 2_048;
const MAX_CANDIDATE_ENTRIES = 16;
const MAX_AGE_MS = 24 * 60 * 60 * 1000;

export function createTimeline(components: {
  clock: Clock;
  /** A NIC went on from a stage that lasted `ms`. */
  onStageLeft?: (stage: BootStage, ms: number) => void;
}): Timeline {
  const { clock, onStageLeft } = components;
  const booting = new RecencyMap<Track>();
  const candidates = new RecencyMap<Track>();
  const listeners = new Set<(track: Track, entry: TimelineEntry) => void>();
  let entriesInAll = 0;
  let seq = 0;

  const trackOf = (mac: string): Track | undefined => booting.get(mac) ?? candidates.get(mac);
  const place = (track: Track): void => {
    const home = track.isBooting ? booting : candidates;
    home.add(track);
    if (track.isBooting) entriesInAll += track.entries.length;
    const { oldest } = home;
    if (oldest !== undefined && home.size > (track.isBooting ? MAX_BOOTING : MAX_CANDIDATES)) forget(oldest);
  };
  const forget = (track: Track): void => {
    (track.isBooting ? booting : candidates).delete(track);
    if (track.isBooting) entriesInAll -= track.entries.length;
  };
  const trim = (track: Track, now: number): void => {
    const { entries, isBooting } = track;
    const most = isBooting ? MAX_ENTRIES : MAX_CANDIDATE_ENTRIES;
    let drop = entries.length > most ? Math.ceil(most / 4) : 0;
    while ((entries[drop]?.at ?? now) < now - MAX_AGE_MS) drop += 1;
    if (drop > 0) entries.splice(0, drop);
    if (!isBooting) return;
    entriesInAll -= drop;
    const { oldest } = booting;
    if (entriesInAll > MAX_ENTRIES_IN_ALL && oldest !== undefined) forget(oldest);
  };

  return {
    append: (level, mac, event, fields, msg) => {
      const at = clock.now();
      const line = { at, monotonic: clock.monotonic(), level, event, fields, msg };
      const known = trackOf(mac);
      const track = known ?? newTrack(mac, line);
      if (known === undefined) {
        track.isBooting = PROOFS.has(event);
        place(track);
      } else if (!known.isBooting && PROOFS.has(event)) {
        forget(known);
        known.isBooting = true;
        place(known);
      } else (known.isBooting ? booting : candidates).touch(known);
      const { entry, left } = record(track, line, seq + 1);
      if (entry !== undefined) {
        seq += 1;
        if (track.isBooting) entriesInAll += 1;
        trim(track, at);
        for (const listener of listeners) listener(track, entry);
      }
      if (left !== undefined) onStageLeft?.(left.stage, left.ms);
    },
    find: (mac) => {
      const track = trackOf(mac);
      return track !== undefined && track.lastAt >= clock.now() - MAX_AGE_MS ? track : undefined;
    },
    tracks: () => {
      const oldest = clock.now() - MAX_AGE_MS;
      return [...booting.values(), ...candidates.values()].filter((track) => track.lastAt >= oldest);
    },
    onEntry: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
