import type { DesiredSwitch } from './api.ts';
import type { LinkState } from './link-state.ts';
import type { PortNames } from './naming.ts';
import { compareNaturally } from './ports.ts';

/**
 * The states for a heartbeat. The API refuses a map that lacks one of its nics, so each of those is in it, `unknown`
 * when the switch has no such port. Empty, that is, "not said", while the API's nics or the ports are not known.
 */
export function statesFor(
  desired: DesiredSwitch | undefined,
  known: ReadonlyMap<string, LinkState> | undefined,
): ReadonlyMap<string, LinkState> {
  if (desired === undefined || known === undefined) return new Map();
  return new Map(desired.nics.map(({ name }) => [name, known.get(name) ?? 'unknown']));
}

/** Which machine the API knows behind which port. */
export function machinesByPort(
  desired: DesiredSwitch | undefined,
  names: PortNames | undefined,
): ReadonlyMap<string, string> {
  const known = (desired?.connections ?? []).map(({ nic, machine }) => [names?.portOf(nic), machine] as const);
  return new Map(known.filter((entry): entry is readonly [string, string] => entry[0] !== undefined));
}

/** For the log: what the API wants of each nic that it wants anything of. */
export function wanted(desired: DesiredSwitch): Readonly<Record<string, string>> {
  const wishes = desired.nics
    .filter((nic) => nic.vrf !== undefined || nic.state !== undefined)
    .sort((a, b) => compareNaturally(a.name, b.name))
    .map((nic) => [nic.name, [nic.vrf, nic.state].filter((wish) => wish !== undefined).join(' ')] as const);
  return Object.fromEntries(wishes);
}
