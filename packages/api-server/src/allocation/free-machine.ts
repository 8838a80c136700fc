import { ApiError, apiV2, Code } from '@ingot/api';
import { orderWipe } from '../machine/wipe-order.ts';
import { MACHINE_LABEL } from '../network/machine-label.ts';
import { Pool } from '../store/number-pools.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { setPortVrfs } from '../topology/port-vrfs.ts';

/**
 * Takes a machine back, within a transaction serialised by `IPAM`: its ports leave their VRFs, ephemeral addresses and the
 * AS number are free again, static addresses stay the project's. Its disks are to be erased before it can be given to
 * anybody else. Throws `FailedPrecondition` for a locked machine.
 */
export async function freeMachine(
  stores: Stores,
  machine: Stored<apiV2.Machine>,
  newOrder: () => string,
): Promise<Stored<apiV2.Machine>> {
  const { value } = machine;
  if (value.status?.condition?.state === apiV2.MachineState.LOCKED)
    throw new ApiError(
      Code.FailedPrecondition,
      `machine ${machine.id} is locked (${value.status.condition.description}): unlock it first`,
    );
  await setPortVrfs(stores, machine.id, undefined);
  for (const { id, value: ip } of await stores.ips.list({ machine: machine.id })) {
    if (ip.type === apiV2.IPType.IP_TYPE_STATIC)
      await stores.ips.edit(id, (address) => {
        delete address.meta?.labels?.labels[MACHINE_LABEL];
      });
    else await stores.ips.delete(id);
  }
  await stores.numbers.release(Pool.Asn, machine.id);
  await stores.consolePasswords.delete(machine.id);
  await stores.machines.edit(machine.id, (freed) => {
    delete freed.allocation;
  });
  // In the same transaction: at no time is it free with somebody's data on it.
  await orderWipe(stores, machine.id, newOrder);
  await stores.events.add(machine.id, apiV2.MachineProvisioningEventType.MACHINE_RECLAIM, 'free machine called');
  return stores.machines.need(machine.id);
}
