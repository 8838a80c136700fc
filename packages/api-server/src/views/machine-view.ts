import { apiV2, clone, create } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { liveliness } from '../events/liveliness.ts';
import { metaOf, type Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { partitionView } from './partition-view.ts';

/** A machine as clients see it: with its partition, its events, and whether it is alive now. */
export function machineView(stores: Stores, clock: Clock, stored: Stored<apiV2.Machine>): apiV2.Machine {
  const view = clone(apiV2.MachineSchema, stored.value);
  view.meta = metaOf(stored, stored.value.meta?.labels);
  const partition = stores.partitions.get(stored.value.partition?.id ?? '');
  if (partition !== undefined) view.partition = partitionView(partition);
  view.recentProvisioningEvents = stores.events.recent(stored.id);
  view.status ??= create(apiV2.MachineStatusSchema);
  view.status.liveliness = liveliness(
    stores.events.container(stored.id).lastEventAt,
    stored.value.allocation !== undefined,
    clock.now(),
  );
  return view;
}
