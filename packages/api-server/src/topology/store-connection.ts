import { ApiError, apiV2, clone, Code, create } from '@ingot/api';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import { connectMachine } from './connect-machine.ts';
import { switchesOfMachine } from './switches-of-machine.ts';

/**
 * Connects a machine to its two switches by what its LLDP saw, and takes it off the ports where it was before.
 * Throws `FailedPrecondition` with what was seen and what was expected; then nothing is changed.
 */
export async function storeConnection(outer: Stores, machineId: string): Promise<void> {
  await outer.transaction(async (stores) => {
    const machine = await stores.machines.get(machineId);
    if (machine === undefined) throw new ApiError(Code.NotFound, `there is no machine ${machineId}`);
    const partition = machine.value.partition?.id ?? '';
    const nics = machine.value.hardware?.nics ?? [];
    const seen = await stores.switches.getMany(nics.flatMap((nic) => nic.neighbors.map(({ hostname }) => hostname)));
    const near = [...seen.values()].map(({ value }) => value).filter((one) => one.partition === partition);
    let connection = connectMachine(machineId, nics, near);
    // A refusal names all switches that there are.
    if (!connection.ok) connection = connectMachine(machineId, nics, near, await switchIdsIn(stores, partition));
    if (!connection.ok) throw failed(machineId, connection.reason);
    const { cables, rack, room } = connection;

    const wanted = new Set(cables.map((cable) => cable.switchId));
    const holding = await switchesOfMachine(stores, machineId);
    const concerned = new Map([...holding, ...[...seen].filter(([id]) => wanted.has(id))]);
    for (const { value: former } of [...concerned.values()].toSorted((a, b) => compareText(a.id, b.id))) {
      if (!wanted.has(former.id) && (former.rack ?? '') !== (rack ?? '')) {
        throw failed(
          machineId,
          `switch ${former.id} of rack "${former.rack ?? ''}" still holds a connection of this machine, which is now in ` +
            `rack "${rack ?? ''}": delete the machine before it moves to another rack`,
        );
      }
      const changed = clone(apiV2.SwitchSchema, former);
      changed.machineConnections = [
        ...former.machineConnections.filter((one) => one.machineId !== machineId),
        ...cables
          .filter((cable) => cable.switchId === former.id)
          .map(({ nic }) =>
            create(apiV2.MachineConnectionSchema, {
              machineId,
              nic: { name: nic.name, identifier: nic.identifier, ...(nic.mac === undefined ? {} : { mac: nic.mac }) },
            }),
          ),
      ].sort((a, b) => compareText(a.nic?.name ?? '', b.nic?.name ?? ''));
      await stores.switches.put(former.id, changed);
    }

    const moved = clone(apiV2.MachineSchema, machine.value);
    moved.rack = rack ?? '';
    moved.room = room ?? '';
    await stores.machines.put(machineId, moved);
  });
}

async function switchIdsIn(stores: Stores, partition: string): Promise<string[]> {
  const rows = await stores.session.all('SELECT id FROM switch WHERE partition = ? ORDER BY id', partition);
  return rows.map((row) => text(row, 'id'));
}

function failed(machineId: string, reason: string): ApiError {
  return new ApiError(Code.FailedPrecondition, `cannot connect machine ${machineId} to its switches: ${reason}`);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
