import type { apiV2 } from '@ingot/api';
import { areMirrored } from '@ingot/api-server';
import { compareNaturally } from '../names.ts';

/** A port with the machine behind it, as the API has it. */
export interface CabledPort {
  readonly switchId: string;
  readonly partition: string;
  readonly rack: string;
  readonly port: string;
  readonly identifier: string;
  readonly machine: apiV2.Machine;
  /** What is wrong with this cable, as seen from the other switches of the rack and from the machine; empty: nothing. */
  readonly problems: readonly string[];
}

/**
 * The ports with machines, by switch and port. The check needs all switches that a machine may be cabled to: a leaf knows
 * its own cables only. A machine belongs on the same ports of two switches of one rack, which is also what it has to see
 * for it to be registered; what does not fit here was recabled since, or lost a switch.
 */
export function cabledPorts(switches: readonly apiV2.SwitchWithMachines[]): readonly CabledPort[] {
  const cables = switches.flatMap((leaf) =>
    leaf.connections.flatMap(({ nic, machine }) =>
      nic === undefined || machine === undefined
        ? []
        : [
            {
              switchId: leaf.id,
              partition: leaf.partition,
              rack: leaf.rack,
              port: nic.name,
              identifier: nic.identifier,
              machine,
            },
          ],
    ),
  );
  const byMachine = Map.groupBy(cables, ({ machine }) => machine.uuid);
  const known = new Set(switches.map(({ id }) => id));
  return cables
    .map((cable) => ({
      ...cable,
      problems: [
        ...counterpartProblems(cable, byMachine.get(cable.machine.uuid) ?? []),
        ...inventoryProblems(cable, known),
      ],
    }))
    .sort((a, b) => compareNaturally(a.switchId, b.switchId) || compareNaturally(a.port, b.port));
}

type Cable = Omit<CabledPort, 'problems'>;

function counterpartProblems(cable: Cable, ofMachine: readonly Cable[]): readonly string[] {
  const others = new Map(
    ofMachine.filter(({ switchId }) => switchId !== cable.switchId).map((other) => [other.switchId, other.rack]),
  );
  const [other] = others.keys();
  if (other === undefined) return ['on this switch only'];
  if (others.size > 1) return [`on ${others.size + 1} switches, also ${[...others.keys()].sort().join(', ')}`];
  const rack = others.get(other) ?? '';
  if (rack !== cable.rack) return [`also on ${other}, of rack "${rack}"`];
  const there = ofMachine.filter(({ switchId }) => switchId === other).map(({ port }) => port);
  if (there.some((port) => areMirrored(cable.port, port))) return [];
  return [`on ${other} it has ${there.toSorted(compareNaturally).join(', ')}`];
}

/** A machine that was recabled is refused when it registers, but its inventory is kept. */
function inventoryProblems({ machine, switchId, identifier }: Cable, known: ReadonlySet<string>): readonly string[] {
  const seen = (machine.hardware?.nics ?? [])
    .flatMap(({ neighbors }) => neighbors)
    .filter(({ hostname }) => known.has(hostname));
  if (seen.length === 0 || seen.some((one) => one.hostname === switchId && one.identifier === identifier)) return [];
  const places = new Set(seen.map((one) => `${one.identifier} of ${one.hostname}`));
  return [`at its last start it saw ${[...places].sort(compareNaturally).join(', ')}`];
}
