/** One part of a breakout mode: `2x100G[50G](4)` is two ports of 100 or 50 Gbit/s on four lanes. */
export interface BreakoutGroup {
  readonly ports: number;
  /** What each port starts with, Mbit/s. */
  readonly speed: number;
  /** Every speed that a port of it can have, that one first, Mbit/s. */
  readonly speeds: readonly number[];
  /** How many lanes all of its ports have together; undefined: all of the cage. */
  readonly lanes: number | undefined;
}

/** The parts of a mode, in the order of the cage's lanes. */
export type BreakoutMode = readonly BreakoutGroup[];

const GROUP = /^(\d{1,3})x(\d{1,6})(G?)(?:\[([\dG, ]+)\])?(?:\((\d{1,3})\))?$/;
const SPEED = /^(\d{1,6})(G?)$/;

/** `1x100G[40G]`, `2x25G(2)+1x50G(2)`, `1x1000` (Mbit/s without the G); undefined when it is none. */
export function parseBreakoutMode(text: string): BreakoutMode | undefined {
  const groups: BreakoutGroup[] = [];
  for (const part of text.split('+')) {
    const match = GROUP.exec(part.trim());
    if (match === null) return undefined;
    const speed = mbits(match[2] ?? '', match[3] ?? '');
    const alternatives = (match[4] ?? '').split(',').flatMap((each) => {
      const found = SPEED.exec(each.trim());
      return found === null ? [] : [mbits(found[1] ?? '', found[2] ?? '')];
    });
    const ports = Number(match[1]);
    const lanes = match[5] === undefined ? undefined : Number(match[5]);
    if (ports === 0 || speed === 0 || lanes === 0) return undefined;
    groups.push({ ports, speed, speeds: [...new Set([speed, ...alternatives])], lanes });
  }
  return groups;
}

/**
 * Whether SONiC takes one mode for the other on a cage of `laneCount` lanes: the same ports on the same lanes with the
 * same set of speeds. `4x10G[25G]` is `4x25G[10G]`, only that its ports start with 10 Gbit/s (portconfig.py).
 */
export function sameBreakoutMode(left: BreakoutMode, right: BreakoutMode, laneCount: number): boolean {
  return (
    left.length === right.length &&
    left.every((group, index) => {
      const other = right[index];
      return (
        other !== undefined &&
        group.ports === other.ports &&
        (group.lanes ?? laneCount) === (other.lanes ?? laneCount) &&
        new Set(group.speeds).symmetricDifference(new Set(other.speeds)).size === 0
      );
    })
  );
}

function mbits(number: string, unit: string): number {
  return Number(number) * (unit === 'G' ? 1000 : 1);
}
