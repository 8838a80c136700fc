import { apiV2, clone, create } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

/** A switch as clients see it: what was registered and is desired, with what its heartbeats have reported. */
export function switchView(stores: Stores, stored: Stored<apiV2.Switch>): apiV2.Switch {
  const view = clone(apiV2.SwitchSchema, stored.value);
  const status = stores.switchStatus.get(stored.id);
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
