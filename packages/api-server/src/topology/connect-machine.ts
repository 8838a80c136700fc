import type { apiV2 } from '@ingot/api';
import { mirrored } from './port-names.ts';

/** A cable, as the machine's LLDP and the switch's registration agree on it. */
export interface Cable {
  readonly switchId: string;
  /** Port of the switch. */
  readonly nic: apiV2.SwitchNic;
  /** The machine's end. */
  readonly machineNic: string;
}

export type Connection =
  | {
      readonly ok: true;
      readonly cables: readonly Cable[];
      readonly rack: string | undefined;
      readonly room: string | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** How many leaf switches a machine hangs on. */
const LEAVES = 2;

/**
 * Finds out which switch ports a machine is plugged into. A neighbour is a port if its hostname is the ID of a switch
 * and its identifier that of one of the switch's ports. There must be exactly two switches, of one rack, with equally
 * many cables on ports of the same names. Whether a port belongs to another machine shows when it is claimed. Neighbours
 * that are no switch of the partition (a management switch, another server) are passed over, and named if the rest does not
 * fit. `switches` has at least those of the partition that the machine sees; `registered` names all, for the words of a
 * refusal.
 */
export function connectMachine(
  nics: readonly apiV2.MachineNic[],
  switches: readonly apiV2.Switch[],
  registered: readonly string[] = switches.map(({ id }) => id),
): Connection {
  const byId = new Map(switches.map((candidate) => [candidate.id, candidate]));
  const cables: Cable[] = [];
  const strangers = new Set<string>();
  for (const machineNic of nics) {
    for (const neighbor of machineNic.neighbors) {
      const leaf = byId.get(neighbor.hostname);
      if (leaf === undefined) {
        strangers.add(`${machineNic.name} sees "${neighbor.hostname}" port "${neighbor.identifier}"`);
        continue;
      }
      const nic = leaf.nics.find((candidate) => candidate.identifier === neighbor.identifier);
      if (nic === undefined) {
        return refuse(
          `${machineNic.name} sees port "${neighbor.identifier}" of switch ${leaf.id}, ` +
            `which has registered no port with this identifier, only ${list(leaf.nics.map((one) => one.identifier))}`,
        );
      }
      if (!cables.some((cable) => cable.switchId === leaf.id && cable.nic.name === nic.name)) {
        cables.push({ switchId: leaf.id, nic, machineNic: machineNic.name });
      }
    }
  }
  return check(cables, byId, strangers, registered);
}

function check(
  cables: readonly Cable[],
  switches: ReadonlyMap<string, apiV2.Switch>,
  strangers: ReadonlySet<string>,
  registered: readonly string[],
): Connection {
  const seen = [...new Set(cables.map((cable) => cable.switchId))].sort();
  const [one, other] = seen.map((id) => switches.get(id));
  if (seen.length !== LEAVES || one === undefined || other === undefined) {
    return refuse(
      `expected neighbours on exactly ${LEAVES} switches of the partition, saw ${seen.length}` +
        `${seen.length === 0 ? '' : ` (${describe(cables)})`}; ` +
        `${strangers.size === 0 ? 'no other neighbours' : `other neighbours: ${list([...strangers])}`}; ` +
        `registered switches: ${list(registered)}`,
    );
  }
  if ((one.rack ?? '') !== (other.rack ?? '')) {
    return refuse(
      `expected both switches in one rack, but ${one.id} is in "${one.rack ?? ''}" and ${other.id} in "${other.rack ?? ''}"`,
    );
  }
  const portsOf = (id: string): string[] => cables.filter((cable) => cable.switchId === id).map(({ nic }) => nic.name);
  const rest = portsOf(other.id);
  for (const port of portsOf(one.id)) {
    const index = rest.findIndex((candidate) => mirrored(port, candidate));
    if (index < 0) return refuse(notMirrored(cables, port, one.id, other.id));
    rest.splice(index, 1);
  }
  if (rest[0] !== undefined) return refuse(notMirrored(cables, rest[0], other.id, one.id));
  return { ok: true, cables, rack: one.rack, room: one.room };
}

function notMirrored(cables: readonly Cable[], port: string, on: string, missingOn: string): string {
  return (
    `expected the same ports on both switches, saw ${describe(cables)}: ` +
    `${port} of ${on} has no counterpart on ${missingOn}; compare the cabling`
  );
}

function describe(cables: readonly Cable[]): string {
  return cables.map((cable) => `${cable.machineNic} on ${cable.switchId} ${cable.nic.name}`).join(', ');
}

// Long enough for a leaf with all its ports, short enough for a status message (8 KiB of headers at most).
const MAX_LISTED = 64;

function list(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  const rest = items.length - MAX_LISTED;
  return items.slice(0, MAX_LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function refuse(reason: string): Connection {
  return { ok: false, reason };
}
