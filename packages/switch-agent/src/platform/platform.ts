import { breakOut, widestMode, type PlatformPort } from './break-out.ts';
import type { HwskuPort } from './hwsku-json.ts';
import type { Cage } from './platform-json.ts';
import type { IniPort } from './port-config-ini.ts';

/** A switch as SONiC's files describe it. */
export interface Platform {
  /** `x86_64-accton_as7726_32x-r0`. */
  readonly name: string;
  /** `Accton-AS7726-32X`. */
  readonly hwsku: string;
  /** SONiC sets no RS-FEC by itself on `mellanox`. */
  readonly asicType: string | undefined;
  /** From `platform.json`. */
  readonly cages: ReadonlyMap<string, Cage> | undefined;
  /** From `hwsku.json`. */
  readonly hwskuPorts: ReadonlyMap<string, HwskuPort> | undefined;
  /** From `port_config.ini`. */
  readonly iniPorts: readonly IniPort[] | undefined;
}

/** The ports of a switch, and the modes of its cages. */
export interface PortLayout {
  /** By name. */
  readonly ports: ReadonlyMap<string, PlatformPort>;
  /** By cage; only those whose mode is known. */
  readonly modes: ReadonlyMap<string, string>;
}

/** Something about a cage that cannot be. */
export interface LayoutProblem {
  readonly cage: string;
  /** True when the caller asked for this mode, false when the platform's files are wrong. */
  readonly asked: boolean;
  readonly words: string;
}

/**
 * The ports with the modes that are asked for (`Ethernet0` → `4x25G`), all other cages as SONiC has them by default:
 * `hwsku.json` beside `platform.json`, else `port_config.ini`, else the widest mode of each cage.
 */
export function layOutPorts(
  platform: Platform,
  asked: ReadonlyMap<string, string>,
): { readonly layout: PortLayout; readonly problems: readonly LayoutProblem[] } {
  const ports = new Map<string, PlatformPort>();
  const modes = new Map<string, string>();
  const problems: LayoutProblem[] = [];
  const { cages = new Map<string, Cage>(), hwskuPorts, iniPorts } = platform;
  const useIni = iniPorts !== undefined && hwskuPorts === undefined;
  if (useIni) for (const port of iniPorts) ports.set(port.name, ofIni(port));

  for (const cage of cages.values()) {
    const wanted = asked.get(cage.name);
    if (useIni && wanted === undefined) continue;
    const mode =
      wanted ?? (hwskuPorts === undefined ? widestMode(cage) : hwskuPorts.get(cage.name)?.default_brkout_mode);
    // What hwsku.json leaves out is not wired on this switch.
    if (mode === undefined) continue;
    const broken = breakOut(cage, mode);
    if (!broken.ok) {
      problems.push({ cage: cage.name, asked: wanted !== undefined, words: broken.words });
      continue;
    }
    const lanes = new Set(cage.lanes);
    for (const port of ports.values()) if (port.lanes.some((lane) => lanes.has(lane))) ports.delete(port.name);
    modes.set(cage.name, mode);
    for (const port of withHwskuFields(broken.ports, hwskuPorts)) ports.set(port.name, port);
  }

  for (const [name] of asked) {
    if (cages.has(name)) continue;
    const parent = ports.get(name)?.cage;
    const words =
      cages.size === 0
        ? `${platform.name} has no platform.json with breakout modes; leave it out`
        : `there is no cage ${name}${parent === undefined ? '' : `, it is a port of ${parent}`}; write one of ${[...cages.keys()].join(', ')}`;
    problems.push({ cage: name, asked: true, words });
  }
  return { layout: { ports, modes }, problems };
}

// portconfig.py: what hwsku.json says of one port of a cage goes to all ports of that cage.
function withHwskuFields(
  ports: readonly PlatformPort[],
  hwskuPorts: ReadonlyMap<string, HwskuPort> | undefined,
): readonly PlatformPort[] {
  const said = ports.flatMap(({ name }) => hwskuPorts?.get(name) ?? []);
  const last = (field: 'fec' | 'autoneg' | 'role'): string | undefined =>
    said.findLast((entry) => entry[field] !== undefined)?.[field];
  return ports.map((port) => ({ ...port, fec: last('fec'), autoneg: last('autoneg'), role: last('role') }));
}

function ofIni({ name, lanes, alias, index, speed, fec, autoneg, role }: IniPort): PlatformPort {
  const speeds = undefined;
  return { name, cage: undefined, lanes, alias, index, speed, speeds, subport: undefined, fec, autoneg, role };
}
