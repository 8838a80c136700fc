import { adminV2, apiV2, create } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { examine } from '../machine/examine.ts';
import { findIssues, hasEvents, LAST_ERROR_MS, type Examined } from '../machine/issues.ts';
import type { Stores } from '../store/stores.ts';
import { reasonsAgainst } from './candidates.ts';
import { balance, mayTakeInAll, reservedIn } from './reservations.ts';

const { MachineProvisioningEventType: Event, MachineIssueType } = apiV2;

/** What of it is asked about. */
interface CapacityFilter {
  readonly size?: string | undefined;
  /** Whose view `free` is. */
  readonly project?: string | undefined;
}

/**
 * What there is of each size in each of these partitions. `allocatable` counts the machines that could be given away,
 * `free` those that `project` would get if it asked for one after the other, and nobody else asked; without a project,
 * those that are not reserved. Machines that never sent an event are not counted, but what a project has of them uses its
 * reservation up. A size of which something is reserved has a row also where there is no machine of it. To be called
 * within a transaction, or machines change between the questions.
 */
export async function capacitiesOf(
  stores: Stores,
  clock: Clock,
  partitions: readonly string[],
  filter: CapacityFilter,
): Promise<adminV2.PartitionCapacity[]> {
  const examined = await examine(stores, clock);
  // Of all machines: two with one address may be of two sizes.
  const issues = findIssues(examined, { now: clock.now(), lastErrorWithinMs: LAST_ERROR_MS });
  const faulty = new Set(
    [...issues]
      .filter(([, found]) => found.some(({ type }) => type !== MachineIssueType.LAST_EVENT_ERROR))
      .map(([id]) => id),
  );
  const reservations = (await stores.sizeReservations.list()).map(({ value }) => value);
  const isAsked = (size: string): boolean => filter.size === undefined || filter.size === size;
  const capacities: adminV2.PartitionCapacity[] = [];
  for (const partition of partitions) {
    const here = examined.filter((one) => one.partition === partition && isAsked(one.size));
    const nobodys = here.filter(({ project }) => project === '');
    const against = await reasonsAgainst(
      stores,
      clock,
      nobodys.map(({ id }) => id),
    );
    const bySize = Map.groupBy(here, ({ size }) => size);
    const reservedSizes = reservations.filter((one) => one.partitions.includes(partition)).map(({ size }) => size);
    const sizes = new Set([...bySize.keys(), ...reservedSizes.filter(isAsked)]);
    const rows = [...sizes].toSorted().map((size) => {
      const ofSize = bySize.get(size) ?? [];
      const capacity = countMachines(size, ofSize, faulty, against);
      const reserved = reservedIn(reservations, partition, size);
      const allocated = countByProject(ofSize);
      const { reservations: amount, used } = balance(reserved, allocated, filter.project);
      capacity.reservations = BigInt(amount);
      capacity.usedReservations = BigInt(used);
      capacity.remainingReservations = BigInt(amount - used);
      capacity.free = BigInt(mayTakeInAll(Number(capacity.allocatable), reserved, allocated, filter.project));
      return capacity;
    });
    const machineSizeCapacities = rows.filter(({ total, reservations: amount }) => total > 0n || amount > 0n);
    capacities.push(create(adminV2.PartitionCapacitySchema, { partition, machineSizeCapacities }));
  }
  return capacities;
}

function countMachines(
  size: string,
  examined: readonly Examined[],
  faulty: ReadonlySet<string>,
  against: ReadonlyMap<string, string>,
): adminV2.MachineSizeCapacity {
  const capacity = create(adminV2.MachineSizeCapacitySchema, { size });
  for (const one of examined) {
    if (!hasEvents(one)) continue;
    const { id, project, events } = one;
    capacity.total += 1n;
    if (faulty.has(id)) {
      capacity.faulty += 1n;
      capacity.faultyMachines.push(id);
    }
    if (project !== '') capacity.allocated += 1n;
    else if (against.has(id)) capacity.unavailable += 1n;
    else capacity.allocatable += 1n;
    const newest = events.newest?.type;
    if (newest === Event.PHONED_HOME) capacity.phonedHome += 1n;
    else if (newest === Event.WAITING) capacity.waiting += 1n;
    else {
      capacity.other += 1n;
      capacity.otherMachines.push(id);
    }
  }
  return capacity;
}

function countByProject(examined: readonly Examined[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { project } of examined) if (project !== '') counts.set(project, (counts.get(project) ?? 0) + 1);
  return counts;
}
