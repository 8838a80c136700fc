import type { Clock } from '@ingot/net';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { machineViews } from '../views/machine-view.ts';
import type { apiV2 } from '@ingot/api';
import type { Examined } from './issues.ts';

/** Reads what the search for issues needs of these machines; of their events the newest one. */
export async function examine(
  stores: Stores,
  clock: Clock,
  machines: readonly Stored<apiV2.Machine>[],
): Promise<Examined[]> {
  const ids = machines.map(({ id }) => id);
  const events = await stores.events.newestOfMany(ids);
  const bmcs = await stores.bmcs.getMany(ids);
  return (await machineViews(stores, clock, machines, events)).map((machine) => ({
    machine,
    bmc: bmcs.get(machine.uuid),
    hasEvents: events.get(machine.uuid)?.lastEventAt !== undefined,
  }));
}
