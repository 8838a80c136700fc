import { ApiError, apiV2, clone, Code, create, type infraV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { timestampFromMs } from '@ingot/api';
import { matchSize } from '../size/match.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { isOperatorTag, withInventory } from './labels.ts';
import { closeWipeOrder } from './wipe-order.ts';
import { findOrCreateMachine, machineIdOf } from './machine-records.ts';

/**
 * Stores what a machine has found out about itself. Hardware, firmware, BMC, version and inventory are replaced as a whole;
 * the allocation, the condition and the other tags of the first time stay. The size is the one that the hardware matches.
 */
export async function registerMachine(
  outer: Stores,
  clock: Clock,
  request: infraV2.BootServiceRegisterRequest,
): Promise<Stored<apiV2.Machine>> {
  const { hardware, bios } = request;
  if (hardware === undefined) throw new ApiError(Code.InvalidArgument, 'hardware is required');
  if (bios === undefined) throw new ApiError(Code.InvalidArgument, 'bios is required');
  const id = machineIdOf(request.uuid);
  return outer.transaction(async (stores) => {
    if ((await stores.partitions.get(request.partition)) === undefined) {
      throw new ApiError(Code.NotFound, `there is no partition "${request.partition}": define it first`);
    }
    const known = await stores.machines.get(id);
    const machine = clone(apiV2.MachineSchema, (await findOrCreateMachine(stores, id, request.partition)).value);
    machine.partition = create(apiV2.PartitionSchema, { id: request.partition });
    machine.hardware = hardware;
    const sizes = (await stores.sizes.list()).map(({ value }) => value);
    machine.size = create(apiV2.SizeSchema, { id: matchSize(sizes, hardware) });
    machine.status ??= create(apiV2.MachineStatusSchema);
    machine.status.metalHammerVersion = request.metalHammerVersion;
    // An event may have created the machine before; it is registered for the first time all the same.
    const isFirst = known?.value.hardware === undefined;
    const tags = labelsOf(request.tags.filter((tag) => !isOperatorTag(tag)));
    const before = machine.meta?.labels?.labels ?? {};
    const labels = isFirst ? { ...tags, ...before } : withInventory(before, tags);
    if (Object.keys(labels).length > 0) machine.meta = create(apiV2.MetaSchema, { labels: { labels } });
    closeWipeOrder(machine, request.tags);
    const stored = await stores.machines.put(id, machine);
    await stores.bmcs.put(
      id,
      create(apiV2.MachineBMCReportSchema, {
        uuid: id,
        bios,
        ...(request.bmc === undefined ? {} : { bmc: request.bmc }),
        ...(request.fru === undefined ? {} : { fru: request.fru }),
        updatedAt: timestampFromMs(clock.now()),
      }),
    );
    return stored;
  });
}

/** `key=value` and plain words; a plain word becomes a label with the value `true`. */
function labelsOf(tags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    tags.map((tag) => {
      const at = tag.indexOf('=');
      return at < 1 ? [tag, 'true'] : [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}
