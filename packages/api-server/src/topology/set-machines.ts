import { ApiError, Code, type apiV2 } from '@ingot/api';
import type { Stores } from '../store/stores.ts';

/**
 * Says which machines are on which ports of a switch, all that were there before are off it. Each machine concerned has
 * another generation then, see `PortStore`.
 */
export async function setMachines(
  stores: Stores,
  switchId: string,
  connections: readonly { readonly machineId: string; readonly nic: apiV2.SwitchNic }[],
): Promise<void> {
  const before = (await stores.ports.of(switchId)).connections;
  for (const connection of before) await stores.ports.release(connection);
  for (const { machineId, nic } of connections) {
    const { name: port, identifier, mac } = nic;
    if (await stores.ports.claim({ switchId, port, identifier, mac, machineId })) continue;
    throw new ApiError(
      Code.FailedPrecondition,
      `port ${port} of switch ${switchId} would get two machines, ${machineId} is the second: compare the cabling`,
    );
  }
  const machines = new Set([...before, ...connections].map(({ machineId }) => machineId));
  for (const machine of machines) await stores.machines.touch(machine);
}
