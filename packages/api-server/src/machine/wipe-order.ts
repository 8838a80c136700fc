import { ApiError, apiV2, clone, Code, create } from '@ingot/api';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { machineIdOf } from './machine-records.ts';
import { WIPE_LABEL } from './wipe-label.ts';

/** Key of the tag by which a registering machine says that an order is carried out: `ingot.dev/wiped=<order>`. */
const WIPED_TAG = 'ingot.dev/wiped';

/** The open order of a machine. */
function wipeOrderOf(machine: apiV2.Machine): string | undefined {
  return machine.meta?.labels?.labels[WIPE_LABEL];
}

/**
 * Opens an order, or finds the open one. Whoever gives a machine back calls this in the transaction that ends its
 * allocation. Throws `NotFound`, and `FailedPrecondition` for an allocated machine: somebody's data is on it.
 */
export function orderWipe(outer: Stores, uuid: string, newOrder: () => string): Promise<string> {
  return outer.transaction(async (stores) => {
    const stored = await machineOf(stores, uuid);
    const open = wipeOrderOf(stored.value);
    if (open !== undefined) return open;
    if (stored.value.allocation !== undefined) {
      throw new ApiError(
        Code.FailedPrecondition,
        `machine ${stored.id} is allocated as "${stored.value.allocation.name}": free it before its disks are erased`,
      );
    }
    const order = newOrder();
    const machine = clone(apiV2.MachineSchema, stored.value);
    machine.meta ??= create(apiV2.MetaSchema);
    machine.meta.labels ??= create(apiV2.LabelsSchema);
    machine.meta.labels.labels[WIPE_LABEL] = order;
    await stores.machines.put(stored.id, machine);
    return order;
  });
}

/** Takes the open order back; undefined when there is none. Throws `NotFound`. */
export function cancelWipe(outer: Stores, uuid: string): Promise<string | undefined> {
  return outer.transaction(async (stores) => {
    const stored = await machineOf(stores, uuid);
    const open = wipeOrderOf(stored.value);
    if (open === undefined) return undefined;
    const machine = clone(apiV2.MachineSchema, stored.value);
    delete machine.meta?.labels?.labels[WIPE_LABEL];
    await stores.machines.put(stored.id, machine);
    return open;
  });
}

/**
 * Closes the order that a registering machine says it has carried out; one that was opened since stays. Changes
 * `machine`, and stores nothing.
 */
export function closeWipeOrder(machine: apiV2.Machine, tags: readonly string[]): void {
  const open = wipeOrderOf(machine);
  if (open !== undefined && tags.includes(`${WIPED_TAG}=${open}`)) delete machine.meta?.labels?.labels[WIPE_LABEL];
}

/**
 * What stands against giving the machine to somebody: an order to erase it that it has not carried out. Allocation asks
 * this in the transaction that allocates; with `orderWipe` refusing allocated machines, never both are true.
 */
export function refuseUnwiped(machine: apiV2.Machine): void {
  const open = wipeOrderOf(machine);
  if (open === undefined) return;
  throw new ApiError(
    Code.FailedPrecondition,
    `machine ${machine.uuid} has the open wipe order ${open}: it waits again when its disks are erased`,
  );
}

async function machineOf(stores: Stores, uuid: string): Promise<Stored<apiV2.Machine>> {
  const stored = await stores.machines.get(machineIdOf(uuid));
  if (stored === undefined) throw new ApiError(Code.NotFound, `there is no machine ${uuid}`);
  return stored;
}
