import { isStuck, type BootProblem } from './boot-state.ts';
import { USUAL_STAGE_MS, type BootStage } from './stages.ts';
import type { TimelineEntry, Track } from './track.ts';

/** One machine as an operator thinks of it: all NICs that showed the same UUID. */
export interface MachineView {
  readonly uuid: string | undefined;
  /** The NIC that boots comes first. */
  readonly macs: readonly string[];
  readonly address: string | undefined;
  readonly stage: BootStage;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Longer in its stage than usual; undefined where every time is usual. */
  readonly isStuck: boolean;
  readonly usualMs: number | undefined;
  readonly boots: number;
  readonly problem: BootProblem | undefined;
  readonly lastAt: number;
}

/** Puts NICs together; the machine is where the NIC is that went on with a boot most lately. */
export function machineViews(tracks: readonly Track[], monotonic: number): MachineView[] {
  const groups = new Map<string, Track[]>();
  for (const track of tracks) {
    const key = track.state.uuid ?? track.mac;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [track]);
    else group.push(track);
  }
  return [...groups.values()].map((group) => viewOf(group.toSorted(byProgress), monotonic));
}

/** The entries of several NICs in one row, oldest first. */
export function mergedEntries(tracks: readonly Track[]): { readonly mac: string; readonly entry: TimelineEntry }[] {
  return tracks
    .flatMap(({ mac, entries }) => entries.map((entry) => ({ mac, entry })))
    .toSorted((a, b) => a.entry.seq - b.entry.seq);
}

function viewOf(group: readonly Track[], monotonic: number): MachineView {
  const [lead] = group;
  if (lead === undefined) throw new TypeError('a machine has a NIC');
  const { state } = lead;
  return {
    uuid: state.uuid,
    macs: group.map(({ mac }) => mac),
    address: state.address,
    stage: state.stage,
    since: state.since,
    isStuck: isStuck(state, monotonic),
    usualMs: USUAL_STAGE_MS[state.stage],
    boots: state.boots,
    problem: state.problem,
    lastAt: Math.max(...group.map(({ lastAt }) => lastAt)),
  };
}

function byProgress(a: Track, b: Track): number {
  const isIdle = ({ state }: Track): number => (state.stage === 'seen' ? 1 : 0);
  return isIdle(a) - isIdle(b) || b.state.sinceMonotonic - a.state.sinceMonotonic;
}
