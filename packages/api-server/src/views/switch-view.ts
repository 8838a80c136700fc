import { apiV2, clone, create } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

/** A switch as clients see it: what was registered and is desired, with what its heartbeats have reported. */
export async function switchView(stores: Stores, stored: Stored<apiV2.Switch>): Promise<apiV2.Switch> {
  return viewOf(stored, await stores.switchStatus.get(stored.id));
}

/** `switchView` of many, in a few questions to the database. */
export async function switchViews(stores: Stores, list: readonly Stored<apiV2.Switch>[]): Promise<apiV2.Switch[]> {
  const statuses = await stores.switchStatus.all();
  return list.map((stored) => viewOf(stored, statuses.get(stored.id) ?? create(apiV2.SwitchSchema)));
}

function viewOf(stored: Stored<apiV2.Switch>, status: apiV2.Switch): apiV2.Switch {
  const view = clone(apiV2.SwitchSchema, stored.value);
  view.meta = metaOf(stored, stored.value.meta?.labels);
  if (status.lastSync !== undefined) view.lastSync = status.lastSync;
  if (status.lastSyncError !== undefined) view.lastSyncError = status.lastSyncError;
  const reported = new Map(status.nics.map((nic) => [nic.name, nic]));
  for (const nic of view.nics) {
    const seen = reported.get(nic.name);
    if (seen?.state !== undefined) {
      nic.state ??= create(apiV2.NicStateSchema);
      nic.state.actual = seen.state.actual;
    }
    if (seen?.bgpPortState !== undefined) nic.bgpPortState = seen.bgpPortState;
  }
  return view;
}
