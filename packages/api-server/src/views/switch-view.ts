import { apiV2, clone, create } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';
import { toMachineConnection, type SwitchPorts } from '../store/port-store.ts';
import type { Stores } from '../store/stores.ts';

/** A switch as clients see it: what was registered and is desired, with its machines and what its heartbeats have reported. */
export async function switchView(stores: Stores, stored: Stored<apiV2.Switch>): Promise<apiV2.Switch> {
  const [ports, status] = await Promise.all([stores.ports.of(stored.id), stores.switchStatus.get(stored.id)]);
  return viewOf(stored, ports, status);
}

/** Switches with 64 ports are read and shown in about ten milliseconds. */
export const SWITCHES_AT_ONCE = 8;

/**
 * `switchView` of many, by their IDs, with a turn for others in between. Within a transaction they are of one state.
 */
export async function switchViews(stores: Stores, ids: readonly string[]): Promise<apiV2.Switch[]> {
  const views: apiV2.Switch[] = [];
  for await (const some of stores.switches.some(ids, SWITCHES_AT_ONCE)) {
    const here = some.map(({ id }) => id);
    const statuses = await stores.switchStatus.ofMany(here);
    const ports = await stores.ports.ofMany(here);
    for (const stored of some)
      views.push(
        viewOf(
          stored,
          ports.get(stored.id) ?? { connections: [], vrfs: new Map() },
          statuses.get(stored.id) ?? create(apiV2.SwitchSchema),
        ),
      );
  }
  return views;
}

/** A switch with the machines and VRFs at its ports. */
export async function withPorts(stores: Stores, stored: Stored<apiV2.Switch>): Promise<apiV2.Switch> {
  return filled(stored.value, await stores.ports.of(stored.id));
}

/** `withPorts` of many. */
export async function manyWithPorts(stores: Stores, list: readonly Stored<apiV2.Switch>[]): Promise<apiV2.Switch[]> {
  const ports = await stores.ports.ofMany(list.map(({ id }) => id));
  return list.map(({ id, value }) => filled(value, ports.get(id) ?? { connections: [], vrfs: new Map() }));
}

function filled(value: apiV2.Switch, { connections, vrfs }: SwitchPorts): apiV2.Switch {
  const copy = clone(apiV2.SwitchSchema, value);
  copy.machineConnections = connections.map(toMachineConnection);
  for (const nic of copy.nics) {
    const vrf = vrfs.get(nic.name);
    if (vrf !== undefined) nic.vrf = vrf;
  }
  return copy;
}

function viewOf(stored: Stored<apiV2.Switch>, ports: SwitchPorts, status: apiV2.Switch): apiV2.Switch {
  const view = filled(stored.value, ports);
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
