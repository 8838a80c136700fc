import { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { liveliness } from '../events/liveliness.ts';
import { WIPE_LABEL } from '../machine/wipe-order.ts';
import { number, text } from '../store/row.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

const { MachineLiveliness, MachineState } = apiV2;

/** The machines of one partition and size. */
export interface Inventory {
  /** Those that can be given away now: nobody has them, they wait, live, are available and have nothing to erase. */
  readonly available: readonly Stored<apiV2.Machine>[];
  /** How many each project has. */
  readonly allocated: ReadonlyMap<string, number>;
  /** Why the others cannot be given away, by reason; for the words of a refusal. */
  readonly unavailable: ReadonlyMap<string, number>;
}

/** Reads the bodies of free machines only: of those that somebody has it takes their number. */
export async function inventoryOf(stores: Stores, clock: Clock, partition: string, size: string): Promise<Inventory> {
  const free = await stores.machines.list({ partition, size, project: '' });
  const counts = await stores.session.all(
    "SELECT project, count(*) AS found FROM machine WHERE partition = ? AND size = ? AND project <> '' GROUP BY project",
    partition,
    size,
  );
  const reasons = await reasonsAgainst(stores, clock, free);
  const unavailable = new Map<string, number>();
  for (const reason of reasons.values()) unavailable.set(reason, (unavailable.get(reason) ?? 0) + 1);
  return {
    available: free.filter(({ id }) => !reasons.has(id)),
    allocated: new Map(counts.map((row) => [text(row, 'project'), number(row, 'found')])),
    unavailable,
  };
}

/** What stands against giving away each of these machines, which nobody has; nothing for one that can be given away. */
export async function reasonsAgainst(
  stores: Stores,
  clock: Clock,
  machines: readonly Stored<apiV2.Machine>[],
): Promise<Map<string, string>> {
  const waiting = await stores.waiting.all();
  const lastEvents = await stores.events.lastAt(machines.map(({ id }) => id));
  const now = clock.now();
  const reasons = new Map<string, string>();
  for (const { id, value } of machines) {
    const state = value.status?.condition?.state;
    const isAlive = liveliness(lastEvents.get(id), false, now) === MachineLiveliness.ALIVE;
    if (state === MachineState.LOCKED) reasons.set(id, 'locked');
    else if (state === MachineState.TAINTED) reasons.set(id, 'tainted');
    else if (value.meta?.labels?.labels[WIPE_LABEL] !== undefined) reasons.set(id, 'still to be wiped');
    else if (!waiting.has(id)) reasons.set(id, 'not waiting');
    else if (!isAlive) reasons.set(id, 'silent');
  }
  return reasons;
}
