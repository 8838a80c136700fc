import { ApiError, Code, type apiV2 } from '@ingot/api';
import type { PortConnection } from '../store/port-store.ts';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import { connectMachine, type Cable } from './connect-machine.ts';

/** The cabling does not fit; says what was seen and what was expected. */
export class CablingRefused extends ApiError {
  constructor(machine: string, reason: string) {
    super(Code.FailedPrecondition, `cannot connect machine ${machine} to its switches: ${reason}`);
  }
}

/** Where a machine is connected, and whether anything about it is new. */
export interface Connected {
  readonly rack: string;
  readonly room: string;
  readonly changed: boolean;
}

/**
 * Connects a machine to its two switches by what its LLDP saw, and takes it off the ports where it was before, `held`. What
 * other machines of the switches write is not read. Throws `CablingRefused`.
 */
export async function storeConnection(
  stores: Stores,
  id: string,
  machine: apiV2.Machine,
  held: readonly PortConnection[],
): Promise<Connected> {
  const partition = machine.partition?.id ?? '';
  const nics = machine.hardware?.nics ?? [];
  const seen = await stores.switches.getMany(nics.flatMap((nic) => nic.neighbors.map(({ hostname }) => hostname)));
  const near = [...seen.values()].map(({ value }) => value).filter((one) => one.partition === partition);
  let connection = connectMachine(nics, near);
  // A refusal names all switches that there are.
  if (!connection.ok) connection = connectMachine(nics, near, await switchIdsIn(stores, partition));
  if (!connection.ok) throw new CablingRefused(id, connection.reason);
  const { cables, rack = '', room = '' } = connection;

  const left = held.filter((one) => !cables.some((cable) => isAt(cable, one)));
  await refuseOtherRack(stores, id, rack, cables, left);
  for (const one of left) await stores.ports.release(one);
  const fresh = cables.filter((cable) => !held.some((one) => isSame(cable, one)));
  for (const { switchId, nic, machineNic } of fresh) {
    const { name: port, identifier, mac } = nic;
    if (await stores.ports.claim({ switchId, port, identifier, mac, machineId: id })) continue;
    const owner = (await stores.ports.ownerOf(switchId, port)) ?? '';
    throw new CablingRefused(
      id,
      `${machineNic} sees port ${port} of switch ${switchId}, which is connected to machine ${owner}: ` +
        'delete that machine if this one has replaced it',
    );
  }
  return { rack, room, changed: left.length + fresh.length > 0 };
}

/** A machine that was carried to another rack is first taken out of the records, so that nobody loses it by a wrong cable. */
async function refuseOtherRack(
  stores: Stores,
  id: string,
  rack: string,
  cables: readonly Cable[],
  left: readonly PortConnection[],
): Promise<void> {
  const wanted = new Set(cables.map(({ switchId }) => switchId));
  const former = await stores.switches.getMany(left.map(({ switchId }) => switchId).filter((one) => !wanted.has(one)));
  for (const { value } of former.values()) {
    if ((value.rack ?? '') === rack) continue;
    throw new CablingRefused(
      id,
      `switch ${value.id} of rack "${value.rack ?? ''}" still holds a connection of this machine, which is now in ` +
        `rack "${rack}": delete the machine before it moves to another rack`,
    );
  }
}

function isAt({ switchId, nic }: Cable, held: PortConnection): boolean {
  return held.switchId === switchId && held.port === nic.name;
}

function isSame(cable: Cable, held: PortConnection): boolean {
  return isAt(cable, held) && held.identifier === cable.nic.identifier && held.mac === cable.nic.mac;
}

async function switchIdsIn(stores: Stores, partition: string): Promise<string[]> {
  const rows = await stores.session.all('SELECT id FROM switch WHERE partition = ? ORDER BY id', partition);
  return rows.map((row) => text(row, 'id'));
}
