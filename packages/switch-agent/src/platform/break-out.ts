import { parseBreakoutMode, sameBreakoutMode, type BreakoutMode } from './breakout-mode.ts';
import type { Cage } from './platform-json.ts';

/** A port as the platform's files make it, before the configuration changes anything. */
export interface PlatformPort {
  readonly name: string;
  /** The cage that it is in; undefined without a `platform.json`. */
  readonly cage: string | undefined;
  readonly lanes: readonly string[];
  readonly alias: string;
  /** The number on the front panel; undefined in a `port_config.ini` without that column. */
  readonly index: string | undefined;
  /** Mbit/s; undefined in a `port_config.ini` without that column. */
  readonly speed: number | undefined;
  /** Every speed that it can have, Mbit/s; undefined when the files do not say. */
  readonly speeds: readonly number[] | undefined;
  /** 0 alone in its cage, else counted from 1; undefined without a `platform.json`. */
  readonly subport: number | undefined;
  readonly fec: string | undefined;
  readonly autoneg: string | undefined;
  readonly role: string | undefined;
}

export type BrokenOut =
  | { readonly ok: true; readonly ports: readonly PlatformPort[] }
  | { readonly ok: false; readonly words: string };

/**
 * The ports of a cage in a mode, as SONiC's own portconfig.py makes them: the mode is one of the cage's, or the same
 * with its speeds in another order; each group takes its lanes in turn, and each port of it an equal share, named after
 * its first lane's place; the index is that of the first lane.
 */
export function breakOut(cage: Cage, text: string): BrokenOut {
  const mode = parseBreakoutMode(text);
  const offered = [...cage.modes.keys()];
  const choice =
    offered.length === 0 ? `platform.json has none for ${cage.name}` : `write one of ${offered.join(', ')}`;
  const refuse = (words: string): BrokenOut => ({ ok: false, words });
  if (mode === undefined) return refuse(`"${text}" is no breakout mode; ${choice}`);
  const laneCount = cage.lanes.length;
  const aliases = aliasesOf(cage, mode);
  if (aliases === undefined) return refuse(`${cage.name} has no mode ${text}; ${choice}`);
  const shares = mode.map(({ ports, lanes = laneCount }) => ({ ports, lanes, each: Math.floor(lanes / ports) }));
  if (shares.some(({ each }) => each === 0) || shares.reduce((sum, { lanes }) => sum + lanes, 0) > laneCount) {
    return refuse(`platform.json offers ${text} for ${cage.name}, which has ${laneCount} lanes only`);
  }
  const total = shares.reduce((sum, { ports }) => sum + ports, 0);
  if (aliases.length < total) {
    return refuse(`platform.json has ${aliases.length} aliases for the ${total} ports of ${cage.name} in mode ${text}`);
  }
  const ports: PlatformPort[] = [];
  let lane = 0;
  for (const [index, { speed, speeds }] of mode.entries()) {
    const { ports: count = 0, each = 0 } = shares[index] ?? {};
    for (let port = 0; port < count; port += 1) {
      ports.push({
        name: `Ethernet${cage.base + lane}`,
        cage: cage.name,
        lanes: cage.lanes.slice(lane, lane + each),
        alias: aliases[ports.length] ?? '',
        index: cage.indexes[lane],
        speed,
        speeds,
        subport: total === 1 ? 0 : ports.length + 1,
        fec: undefined,
        autoneg: undefined,
        role: undefined,
      });
      lane += each;
    }
  }
  return { ok: true, ports };
}

/**
 * The mode of a cage that nothing chooses one for: one port with all its lanes, as fast as there is. By the alphabet
 * 1x100G would come before 1x400G.
 */
export function widestMode(cage: Cage): string | undefined {
  const rank = (text: string): readonly number[] => {
    const mode = parseBreakoutMode(text) ?? [];
    const ports = mode.reduce((sum, group) => sum + group.ports, 0);
    const lanes = mode.reduce((sum, group) => sum + (group.lanes ?? cage.lanes.length), 0);
    return [ports, -lanes, -Math.max(...mode.map(({ speed }) => speed))];
  };
  return [...cage.modes.keys()].toSorted((left, right) => {
    const [a, b] = [rank(left), rank(right)];
    return a.map((value, index) => value - (b[index] ?? 0)).find((order) => order !== 0) ?? 0;
  })[0];
}

function aliasesOf(cage: Cage, mode: BreakoutMode): readonly string[] | undefined {
  for (const [text, aliases] of cage.modes) {
    const offered = parseBreakoutMode(text);
    if (offered !== undefined && sameBreakoutMode(mode, offered, cage.lanes.length)) return aliases;
  }
  return undefined;
}
