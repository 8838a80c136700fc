import { suggest } from '@ingot/daemon';
import type { PlatformPort } from '../platform/break-out.ts';
import { layOutPorts } from '../platform/platform.ts';
import type { Generation } from './generate.ts';
import { unknownName, type Path } from './report.ts';
import type { PortSettings } from './sonic-config.ts';

const DEFAULT_MTU = 9000;
/** From here on a lane speaks PAM4, and IEEE 802.3bs and 802.3cd have no link of those without RS-FEC. */
const PAM4_LANE_MBITS = 50_000;

/** PORT of every port of the platform, and BREAKOUT_CFG of its cages. */
export function addPorts({ config, platform, distribution, tables, report }: Generation): void {
  const { ports: settings = {}, breakouts = {} } = config;
  const { layout, problems } = layOutPorts(platform, new Map(Object.entries(breakouts)));
  for (const { cage, asked, words } of problems) {
    report.problem(asked ? ['breakouts', cage] : [], asked ? words : `${platform.hwsku}: ${words}`);
  }
  for (const [cage, mode] of layout.modes) tables.set('BREAKOUT_CFG', cage, { brkout_mode: mode });

  const own = new Map<string, { readonly path: Path; readonly port: PortSettings }>();
  const known = [...layout.ports.keys()];
  for (const [index, port] of (settings.list ?? []).entries()) {
    const path = ['ports', 'list', index];
    if (!layout.ports.has(port.name)) {
      report.problem([...path, 'name'], unknownPort(port.name, known, breakouts));
    } else if (own.has(port.name)) {
      report.problem([...path, 'name'], `${port.name} stands in the list a second time; write all of it in one place`);
    }
    own.set(port.name, { path, port });
  }

  for (const port of layout.ports.values()) {
    const { path = [], port: wanted } = own.get(port.name) ?? {};
    const speed = wanted?.speed ?? port.speed;
    if (speed === undefined) {
      const where = wanted === undefined ? ['ports'] : path;
      report.problem(where, `${port.name} has no speed in port_config.ini; write one into ports.list`);
      continue;
    }
    if (port.speeds !== undefined && !port.speeds.includes(speed)) {
      report.problem(
        [...path, 'speed'],
        `${port.name} cannot have ${speed} in its breakout mode; write ${port.speeds.join(' or ')}`,
      );
    }
    const asked = wanted?.fec ?? settings.default_fec;
    const isPam4 = port.lanes.length > 0 && speed / port.lanes.length >= PAM4_LANE_MBITS;
    const byRule = isPam4 && distribution.fecByLaneSpeed && platform.asicType !== 'mellanox' ? 'rs' : undefined;
    if (isPam4 && (asked === 'none' || asked === 'fc')) {
      const where = wanted?.fec === undefined ? ['ports', 'default_fec'] : [...path, 'fec'];
      report.note(
        where,
        `${port.name} has lanes of ${speed / port.lanes.length / 1000}G, whose links come up with rs only`,
      );
    }
    tables.set('PORT', port.name, {
      lanes: port.lanes.join(','),
      alias: port.alias,
      index: port.index,
      speed: String(speed),
      mtu: String(wanted?.mtu ?? settings.default_mtu ?? DEFAULT_MTU),
      admin_status: wanted?.admin_status ?? 'up',
      fec: asked ?? port.fec ?? byRule,
      autoneg: wanted?.autoneg ?? settings.default_autoneg ?? port.autoneg,
      role: port.role,
      subport: distribution.subport && port.subport !== undefined ? String(port.subport) : undefined,
      description: wanted?.description,
    });
  }
  noteAliases([...layout.ports.values()], (words) => report.note([], `${platform.hwsku}: ${words}`));
}

/** Whether `name` is a port; reports it when not. */
export function isPort({ tables, config, report }: Generation, path: Path, name: string): boolean {
  if (tables.has('PORT', name)) return true;
  report.problem(path, unknownPort(name, Object.keys(tables.toConfigDb()['PORT'] ?? {}), config.breakouts ?? {}));
  return false;
}

function unknownPort(name: string, known: readonly string[], breakouts: Readonly<Record<string, string>>): string {
  const words = unknownName('port', name, nearestPort(name, known), known);
  const broken = Object.keys(breakouts).length > 0;
  return broken ? `${words} (after the breakouts)` : words;
}

/** By letters Ethernet12 is as near to Ethernet125 as Ethernet124 is. */
function nearestPort(name: string, known: readonly string[]): string | undefined {
  const number = /^Ethernet(\d{1,5})$/.exec(name)?.[1];
  if (number === undefined) return suggest(name, known);
  const distance = (port: string): number => Math.abs(Number(port.slice('Ethernet'.length)) - Number(number));
  return known.toSorted((left, right) => distance(left) - distance(right))[0];
}

// LLDP announces the alias: two equal ones, and a machine is wired to the wrong port.
function noteAliases(ports: readonly PlatformPort[], note: (words: string) => void): void {
  const seen = new Map<string, string>();
  for (const { alias, name } of ports) {
    const other = seen.get(alias);
    if (other !== undefined) note(`${name} and ${other} have the same alias ${alias}, by which LLDP announces both`);
    seen.set(alias, name);
  }
}
