import type { apiV2 } from '@ingot/api';

/** Machines of one size that are kept for a project, in one partition. */
export interface Reserved {
  readonly project: string;
  /** Machines, more than 0. */
  readonly amount: number;
}

/** What the reservations of one size and partition come to. */
export interface ReservationBalance {
  readonly reservations: number;
  readonly used: number;
  /** Machines that have to stay free for others than the asking project. */
  readonly keptForOthers: number;
  /** Machines that the asking project is still owed. */
  readonly owed: number;
}

/**
 * Adds reservations up. Several of one project are one. A project that has more machines than it reserved uses its own
 * reservation up and no other's; upstream subtracts the surplus from everybody's, and then the order decides.
 *
 * `allocated` counts the machines of this size and partition by project. `project` is who asks; undefined: nobody.
 */
export function balance(
  reserved: readonly Reserved[],
  allocated: ReadonlyMap<string, number>,
  project: string | undefined,
): ReservationBalance {
  const amounts = new Map<string, number>();
  for (const one of reserved) amounts.set(one.project, (amounts.get(one.project) ?? 0) + one.amount);
  let [reservations, used, keptForOthers, owed] = [0, 0, 0, 0];
  for (const [owner, amount] of amounts) {
    const usedByOwner = Math.min(allocated.get(owner) ?? 0, amount);
    reservations += amount;
    used += usedByOwner;
    if (owner === project) owed += amount - usedByOwner;
    else keptForOthers += amount - usedByOwner;
  }
  return { reservations, used, keptForOthers, owed };
}

/**
 * Whether a project may take one of `available` machines without breaking a promise. What it was promised itself it may
 * take even where the promises are more than the machines; else enough has to stay for all others.
 */
export function mayTake(
  available: number,
  reserved: readonly Reserved[],
  allocated: ReadonlyMap<string, number>,
  project: string,
): boolean {
  const { keptForOthers, owed } = balance(reserved, allocated, project);
  if (available < 1) return false;
  return owed > 0 || available > keptForOthers;
}

/**
 * How many of `available` machines a project would get one after the other, by `mayTake` each time: what it was promised,
 * or what is not promised to others, whichever is more.
 */
export function mayTakeInAll(
  available: number,
  reserved: readonly Reserved[],
  allocated: ReadonlyMap<string, number>,
  project: string | undefined,
): number {
  const { keptForOthers, owed } = balance(reserved, allocated, project);
  return Math.max(Math.min(owed, available), available - keptForOthers);
}

/** What of these reservations is about a size in a partition. */
export function reservedIn(
  reservations: readonly apiV2.SizeReservation[],
  partition: string,
  size: string,
): Reserved[] {
  return reservations
    .filter((one) => one.size === size && one.partitions.includes(partition))
    .map(({ project, amount }) => ({ project, amount }));
}
