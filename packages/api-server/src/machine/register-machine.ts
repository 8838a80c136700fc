import { ApiError, apiV2, clone, Code, create, timestampFromMs, type infraV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { matchSize } from '../size/match.ts';
import type { Stored } from '../store/entity-table.ts';
import { untilAlone } from '../store/overtaken.ts';
import type { PortConnection } from '../store/port-store.ts';
import type { Stores } from '../store/stores.ts';
import { CablingRefused, storeConnection } from '../topology/store-connection.ts';
import { isOperatorTag, withInventory } from './labels.ts';
import { machineIdOf, newMachine } from './machine-records.ts';
import { closeWipeOrder } from './wipe-order.ts';

/** What was stored of a machine before it registered. */
interface Before {
  readonly machine: Stored<apiV2.Machine> | undefined;
  readonly held: readonly PortConnection[];
}

type Request = infraV2.BootServiceRegisterRequest;

/**
 * Stores what a machine has found out about itself, and connects it to its two switches. Hardware, firmware, BMC, version
 * and inventory are replaced as a whole; the allocation, the condition and the other tags of the first time stay. The size
 * is the one that the hardware matches. Throws `FailedPrecondition` when the cabling does not fit; the machine is stored
 * all the same, for somebody to look at, and stays on the ports where it was.
 */
export function registerMachine(stores: Stores, clock: Clock, request: Request): Promise<Stored<apiV2.Machine>> {
  const id = machineIdOf(request.uuid);
  return untilAlone(async () => {
    // In this order: a connection that changes in between changes the generation, too.
    const machine = await stores.machines.get(id);
    const before = { machine, held: machine === undefined ? [] : await stores.ports.ofMachine(id) };
    try {
      return await stores.transaction((inner) => store(inner, clock, request, id, before, true));
    } catch (error) {
      if (!(error instanceof CablingRefused)) throw error;
      await stores.transaction((inner) => store(inner, clock, request, id, before, false));
      throw error;
    }
  });
}

async function store(
  stores: Stores,
  clock: Clock,
  request: Request,
  id: string,
  before: Before,
  connect: boolean,
): Promise<Stored<apiV2.Machine>> {
  const { hardware, bios, bmc, fru } = request;
  if (hardware === undefined) throw new ApiError(Code.InvalidArgument, 'hardware is required');
  if (bios === undefined) throw new ApiError(Code.InvalidArgument, 'bios is required');
  const [partition, sizes] = await Promise.all([stores.partitions.has(request.partition), stores.sizes.list()]);
  if (!partition) throw new ApiError(Code.NotFound, `there is no partition "${request.partition}": define it first`);
  const known = before.machine?.value;
  const machine = known === undefined ? await newMachine(stores, id) : clone(apiV2.MachineSchema, known);
  machine.partition = create(apiV2.PartitionSchema, { id: request.partition });
  machine.hardware = hardware;
  const size = matchSize(
    sizes.map(({ value }) => value),
    hardware,
  );
  machine.size = create(apiV2.SizeSchema, { id: size });
  machine.status ??= create(apiV2.MachineStatusSchema);
  machine.status.metalHammerVersion = request.metalHammerVersion;
  const tags = labelsOf(request.tags.filter((tag) => !isOperatorTag(tag)));
  const labelled = machine.meta?.labels?.labels ?? {};
  // An event may have created the machine before; it is registered for the first time all the same.
  const labels = known?.hardware === undefined ? { ...tags, ...labelled } : withInventory(labelled, tags);
  if (Object.keys(labels).length > 0) machine.meta = create(apiV2.MetaSchema, { labels: { labels } });
  closeWipeOrder(machine, request.tags);
  let moved = false;
  if (connect) {
    const { rack, room, changed } = await storeConnection(stores, id, machine, before.held);
    machine.rack = rack;
    machine.room = room;
    moved = changed;
  }
  const report = create(apiV2.MachineBMCReportSchema, { uuid: id, bios, updatedAt: timestampFromMs(clock.now()) });
  if (bmc !== undefined) report.bmc = bmc;
  if (fru !== undefined) report.fru = fru;
  const [stored] = await Promise.all([
    stores.machines.swap(before.machine, id, machine, moved),
    stores.bmcs.put(id, report),
  ]);
  return stored;
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
