import type { LinkState } from '../link-state.ts';
import { type LldpNeighbor, machineOf } from './lldp-neighbors.ts';

/** An installed machine has been seen. */
export interface HomeCall {
  /** The machine's UUID, in lower case. */
  readonly machine: string;
  /** What its LLDP says: the system description. */
  readonly message: string;
  /** When it was seen, milliseconds since the epoch. */
  readonly seenMs: number;
}

export interface HomeCalls {
  readonly calls: readonly Omit<HomeCall, 'seenMs'>[];
  /** Neighbours that say they are another machine than the API knows behind their port. */
  readonly refused: readonly string[];
}

// What the installer of metal-stack has lldpd announce on an installed machine.
const PROVISIONED = 'provisioned';
// LLDP carries 255 bytes at most (IEEE 802.1AB-2016 §8.5.7); a row of APPL_DB can be anything.
const MAX_MESSAGE = 255;

/**
 * Which machines call home. `linkOf` keeps out what is left in the table of a machine that has lost its link since, and
 * `connected` (by port) the tenant who calls in another machine's name.
 */
export function homeCalls(
  neighbors: readonly LldpNeighbor[],
  linkOf: (port: string) => LinkState,
  connected: ReadonlyMap<string, string>,
): HomeCalls {
  const calls = new Map<string, Omit<HomeCall, 'seenMs'>>();
  const refused: string[] = [];
  for (const neighbor of neighbors) {
    const machine = machineOf(neighbor);
    if (machine === undefined || !neighbor.systemDescription.includes(PROVISIONED)) continue;
    if (linkOf(neighbor.port) === 'down') continue;
    const known = connected.get(neighbor.port);
    if (known !== undefined && known !== machine) {
      refused.push(`${neighbor.port} says it is machine ${machine}, but the API knows ${known} there`);
      continue;
    }
    calls.set(machine, {
      machine,
      message: Array.from(neighbor.systemDescription.toWellFormed()).slice(0, MAX_MESSAGE).join(''),
    });
  }
  return { calls: [...calls.values()], refused };
}
