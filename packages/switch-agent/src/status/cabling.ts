import { type LldpNeighbor, machineOf } from '../phone-home/lldp-neighbors.ts';
import { compareNaturally } from '../ports.ts';

/**
 * `right`: LLDP shows the machine that the API has on the port. `wrong`: it shows another. `missing`: it shows none.
 * `new`: it shows a machine where the API has none, which is so until the machine has registered.
 */
export const CABLE_STATES = ['right', 'wrong', 'missing', 'new'] as const;
export type CableState = (typeof CABLE_STATES)[number];

export interface Cable {
  readonly port: string;
  readonly state: CableState;
  /** The machine that the API has there. */
  readonly wanted?: string | undefined;
  /** The machines that LLDP shows there. */
  readonly seen: readonly string[];
  /** Of a wrong or missing cable: other ports of this switch on which LLDP shows the wanted machine. */
  readonly insteadOn: readonly string[];
}

/** Compares what the API believes of the cables (port → machine) with what LLDP shows, in the order of the ports. */
export function checkCabling(
  wanted: ReadonlyMap<string, string>,
  neighbors: readonly LldpNeighbor[],
): readonly Cable[] {
  const seen = new Map<string, Set<string>>();
  for (const neighbor of neighbors) {
    const machine = machineOf(neighbor);
    if (machine === undefined) continue;
    const machines = seen.get(neighbor.port) ?? new Set<string>();
    seen.set(neighbor.port, machines.add(machine));
  }
  const ports = [...new Set([...wanted.keys(), ...seen.keys()])].sort(compareNaturally);
  return ports.map((port) => {
    const machine = wanted.get(port);
    const there = seen.get(port) ?? new Set<string>();
    if (machine === undefined) return { port, state: 'new', seen: [...there], insteadOn: [] };
    const state = there.has(machine) ? 'right' : there.size > 0 ? 'wrong' : 'missing';
    const elsewhere = [...seen].filter(([other, machines]) => other !== port && machines.has(machine));
    return {
      port,
      state,
      wanted: machine,
      seen: [...there],
      insteadOn: state === 'right' ? [] : elsewhere.map(([other]) => other).sort(compareNaturally),
    };
  });
}
