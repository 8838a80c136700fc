import { apiV2, clone, create } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { MachineEvents } from '../events/event-store.ts';
import { liveliness } from '../events/liveliness.ts';
import { shownLabels } from '../machine/labels.ts';
import { metaOf, type Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { partitionView } from './partition-view.ts';

/** A machine as clients see it: with its partition, its events, and whether it is alive now. */
export async function machineView(stores: Stores, clock: Clock, stored: Stored<apiV2.Machine>): Promise<apiV2.Machine> {
  const partition = await stores.partitions.get(stored.value.partition?.id ?? '');
  const mine = { ...stored, value: clone(apiV2.MachineSchema, stored.value) };
  return viewOf(mine, partition, await stores.events.of(stored.id), clock.now());
}

/** `machineView` of many, made of the values themselves: nobody else may have them. */
export async function machineViews(
  stores: Stores,
  clock: Clock,
  list: readonly Stored<apiV2.Machine>[],
  partitions: ReadonlyMap<string, Stored<apiV2.Partition>>,
): Promise<apiV2.Machine[]> {
  const events = await stores.events.ofMany(list.map(({ id }) => id));
  const now = clock.now();
  return list.map((stored) =>
    viewOf(stored, partitions.get(stored.value.partition?.id ?? ''), events.get(stored.id), now),
  );
}

function viewOf(
  stored: Stored<apiV2.Machine>,
  partition: Stored<apiV2.Partition> | undefined,
  events: MachineEvents | undefined,
  now: number,
): apiV2.Machine {
  const view = stored.value;
  view.meta = metaOf(stored, shownLabels(view));
  if (partition !== undefined) view.partition = partitionView(partition);
  view.recentProvisioningEvents = events?.recent ?? create(apiV2.MachineRecentProvisioningEventsSchema);
  view.status ??= create(apiV2.MachineStatusSchema);
  view.status.liveliness = liveliness(events?.lastEventAt, stored.value.allocation !== undefined, now);
  return view;
}
