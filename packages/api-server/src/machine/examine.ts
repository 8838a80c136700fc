import type { Clock } from '@ingot/net';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { machineViews } from '../views/machine-view.ts';
import type { apiV2 } from '@ingot/api';
import type { Examined } from './issues.ts';

/** Reads what the search for issues needs of these machines. */
export async function examine(
  stores: Stores,
  clock: Clock,
  machines: readonly Stored<apiV2.Machine>[],
): Promise<Examined[]> {
  const views = await machineViews(stores, clock, machines);
  const events = await stores.events.ofMany(machines.map(({ id }) => id));
  const examined: Examined[] = [];
  for (const machine of views)
    examined.push({
      machine,
      bmc: await stores.bmcs.get(machine.uuid),
      hasEvents: events.get(machine.uuid)?.lastEventAt !== undefined,
    });
  return examined;
}
