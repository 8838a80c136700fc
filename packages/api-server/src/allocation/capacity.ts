import { adminV2, apiV2, create } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { examine } from '../machine/examine.ts';
import { findIssues, LAST_ERROR_MS } from '../machine/issues.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { countByProject, reservedFor } from './allocate-machine.ts';
import { reasonsAgainst } from './candidates.ts';
import { balance } from './reservations.ts';

const { MachineProvisioningEventType: Event, MachineIssueType } = apiV2;

/**
 * What there is of each size in a partition. `allocatable` counts the machines that could be given away, `free` those that
 * `project` could have: what is reserved for others is not. Machines that never sent an event are not counted.
 */
export async function capacityOf(
  stores: Stores,
  clock: Clock,
  partition: string,
  filter: { readonly size?: string | undefined; readonly project?: string | undefined },
): Promise<adminV2.PartitionCapacity> {
  const all = await stores.machines.list({ partition, ...(filter.size === undefined ? {} : { size: filter.size }) });
  const examined = (await examine(stores, clock, all)).filter(({ hasEvents }) => hasEvents);
  const issues = findIssues(examined, { now: clock.now(), lastErrorWithinMs: LAST_ERROR_MS });
  const stored = new Map(all.map((one) => [one.id, one]));
  const free = all.filter(({ value }) => value.allocation === undefined);
  const against = await reasonsAgainst(
    stores,
    clock,
    free.map(({ id }) => id),
  );
  const bySize = Map.groupBy(examined, ({ machine }) => machine.size?.id ?? '');
  const capacities: adminV2.MachineSizeCapacity[] = [];
  for (const [size, machines] of [...bySize].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const capacity = create(adminV2.MachineSizeCapacitySchema, { size });
    const allocated: Stored<apiV2.Machine>[] = [];
    for (const { machine } of machines) {
      capacity.total += 1n;
      const isFaulty =
        issues.get(machine.uuid)?.some(({ type }) => type !== MachineIssueType.LAST_EVENT_ERROR) === true;
      if (isFaulty) {
        capacity.faulty += 1n;
        capacity.faultyMachines.push(machine.uuid);
      }
      const one = stored.get(machine.uuid);
      if (machine.allocation !== undefined) {
        capacity.allocated += 1n;
        if (one !== undefined) allocated.push(one);
      } else if (against.has(machine.uuid)) capacity.unavailable += 1n;
      else capacity.allocatable += 1n;
      const newest = machine.recentProvisioningEvents?.events[0]?.event;
      if (newest === Event.PHONED_HOME) capacity.phonedHome += 1n;
      else if (newest === Event.WAITING) capacity.waiting += 1n;
      else {
        capacity.other += 1n;
        capacity.otherMachines.push(machine.uuid);
      }
    }
    const reserved = await reservedFor(stores, partition, size);
    const { reservations, used, keptForOthers } = balance(reserved, countByProject(allocated), filter.project);
    capacity.reservations = BigInt(reservations);
    capacity.usedReservations = BigInt(used);
    capacity.remainingReservations = BigInt(reservations - used);
    const left = capacity.allocatable - BigInt(keptForOthers);
    capacity.free = left > 0n ? left : 0n;
    capacities.push(capacity);
  }
  return create(adminV2.PartitionCapacitySchema, { partition, machineSizeCapacities: capacities });
}
