import { advance, newBootState, type BootLine, type BootState } from './boot-state.ts';
import type { Recent } from './recency.ts';

/** One line of a timeline; the same line over and over is one entry. */
export interface TimelineEntry extends BootLine {
  /** Grows by one with each new entry of the whole server. */
  readonly seq: number;
  /** How often the line came again, and when it did last; 0 for a line that stands for itself. */
  repeats: number;
  repeatedAt: number;
}

/** What is kept of one NIC. */
export interface Track extends Recent<Track> {
  /** Whether it is among the NICs that really boot. */
  isBooting: boolean;
  readonly state: BootState;
  /** Oldest first. */
  readonly entries: TimelineEntry[];
  lastAt: number;
  /** The same line so many times in a row. */
  run: number;
}

/** After so many of the same line in a row, the next ones are counted only: firmware asks until it hears something. */
const SAME_IN_A_ROW = 4;

export function newTrack(mac: string, line: BootLine): Track {
  return {
    mac,
    isBooting: false,
    state: newBootState(line.at, line.monotonic),
    entries: [],
    lastAt: line.at,
    run: 0,
    older: undefined,
    newer: undefined,
  };
}

/** Adds a line. Returns the entry when it is a new one, and the stage that was left, if any. */
export function record(
  track: Track,
  line: BootLine,
  seq: number,
): { readonly entry: TimelineEntry | undefined; readonly left: ReturnType<typeof advance> } {
  track.lastAt = line.at;
  const left = advance(track.state, line);
  const last = track.entries.at(-1);
  if (last !== undefined && isSame(last, line)) {
    track.run += 1;
    if (track.run >= SAME_IN_A_ROW) {
      last.repeats += 1;
      last.repeatedAt = line.at;
      return { entry: undefined, left };
    }
  } else track.run = 1;
  const { at, monotonic, level, event, msg, fields } = line;
  const entry = { seq, at, monotonic, level, event, msg, fields: kept(fields), repeats: 0, repeatedAt: at };
  track.entries.push(entry);
  return { entry, left };
}

function isSame(last: TimelineEntry, line: BootLine): boolean {
  return (
    last.event === line.event &&
    last.msg === line.msg &&
    last.level === line.level &&
    last.fields['boot'] === line.fields['boot'] &&
    last.fields['reason'] === line.fields['reason']
  );
}

/** An error is kept as its message: its causes may hold on to sockets and buffers. */
function kept(fields: BootLine['fields']): BootLine['fields'] {
  const { err } = fields;
  return err instanceof Error ? { ...fields, err: err.message } : fields;
}
