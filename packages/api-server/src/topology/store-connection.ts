import { ApiError, apiV2, clone, Code, create } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { connectMachine } from './connect-machine.ts';

/**
 * Connects a machine to its two switches by what its LLDP saw, and takes it off the ports where it was before.
 * Throws `FailedPrecondition` with what was seen and what was expected; then nothing is changed.
 */
export async function storeConnection(outer: Stores, machineId: string): Promise<void> {
  await outer.transaction(async (stores) => {
    const machine = await stores.machines.get(machineId);
    if (machine === undefined) throw new ApiError(Code.NotFound, `there is no machine ${machineId}`);
    const partition = machine.value.partition?.id ?? '';
    const inPartition = (await stores.switches.list({ partition })).map((stored) => stored.value);
    const connection = connectMachine(machineId, machine.value.hardware?.nics ?? [], inPartition);
    if (!connection.ok) throw failed(machineId, connection.reason);

    const wanted = new Set(connection.cables.map((cable) => cable.switchId));
    for (const { value: former } of await stores.switches.list()) {
      const holds = former.machineConnections.some((one) => one.machineId === machineId);
      if (!holds && !wanted.has(former.id)) continue;
      if (holds && !wanted.has(former.id) && (former.rack ?? '') !== (connection.rack ?? '')) {
        throw failed(
          machineId,
          `switch ${former.id} of rack "${former.rack ?? ''}" still holds a connection of this machine, which is now in ` +
            `rack "${connection.rack ?? ''}": delete the machine before it moves to another rack`,
        );
      }
      const changed = clone(apiV2.SwitchSchema, former);
      changed.machineConnections = [
        ...former.machineConnections.filter((one) => one.machineId !== machineId),
        ...connection.cables
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
    moved.rack = connection.rack ?? '';
    moved.room = connection.room ?? '';
    await stores.machines.put(machineId, moved);
  });
}

function failed(machineId: string, reason: string): ApiError {
  return new ApiError(Code.FailedPrecondition, `cannot connect machine ${machineId} to its switches: ${reason}`);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
