/**
 * Position of a front-panel lane by the switch's own port name, so that ports of different systems can be compared:
 * SONiC's `EthernetN` counts lanes, Cumulus' `swpX` groups of four, `swpXsY` lanes within one. Undefined for other names.
 */
export function laneOf(name: string): number | undefined {
  const sonic = /^Ethernet(\d{1,4})$/.exec(name);
  if (sonic !== null) return Number(sonic[1]);
  const cumulus = /^swp(\d{1,4})(?:s(\d))?$/.exec(name);
  if (cumulus === null || Number(cumulus[1]) < 1) return undefined;
  return (Number(cumulus[1]) - 1) * 4 + Number(cumulus[2] ?? 0);
}

/** Whether two ports are at the same place of their switches: same name, or same lane under different systems. */
export function mirrored(one: string, other: string): boolean {
  if (one === other) return true;
  const lane = laneOf(one);
  return lane !== undefined && lane === laneOf(other) && one.startsWith('swp') !== other.startsWith('swp');
}

/** Whether a port can take the place of another one: same name, or same lane. */
export function isTwin(one: string, other: string): boolean {
  if (one === other) return true;
  const lane = laneOf(one);
  return lane !== undefined && lane === laneOf(other);
}
