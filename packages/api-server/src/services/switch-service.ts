import { ApiError, apiV2, bindService, clone, Code, infraV2, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { bgpFilters } from '../topology/bgp-filter.ts';
import { applyHeartbeat } from '../topology/heartbeat.ts';
import { registerSwitch } from '../topology/register-switch.ts';
import { switchView } from '../views/switch-view.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.infra.v2.SwitchService`: the switch agent's side. */
export function switchService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof infraV2.SwitchService, Caller>(infraV2.SwitchService, {
    // In one state: a port whose machine is moving meanwhile would be told out of its VRF.
    get: ({ id }) =>
      stores.transaction(async (inner) => ({ switch: await desiredView(inner, await switchOf(inner, id)) }), {
        mode: 'read',
      }),
    async register({ switch: registered }) {
      if (registered === undefined) throw new ApiError(Code.InvalidArgument, 'switch is required');
      const stored = await registerSwitch(stores, clone(apiV2.SwitchSchema, registered));
      return { switch: await desiredView(stores, stored) };
    },
    async heartbeat(request) {
      const status = await stores.transaction(async (inner) =>
        applyHeartbeat(inner, await switchOf(inner, request.id), request, clock.now()),
      );
      return {
        id: request.id,
        ...(status.lastSync === undefined ? {} : { lastSync: status.lastSync }),
        ...(status.lastSyncError === undefined ? {} : { lastSyncError: status.lastSyncError }),
      };
    },
  });
}

/** A switch with what its ports may announce, which follows from who has the machines behind them. */
async function desiredView(stores: Stores, stored: Stored<apiV2.Switch>): Promise<apiV2.Switch> {
  const view = await switchView(stores, stored);
  const machineOf = new Map(view.machineConnections.map((one) => [one.nic?.name ?? '', one.machineId]));
  const behind = view.nics.filter(({ vrf }) => vrf !== undefined).map(({ name }) => machineOf.get(name) ?? '');
  const machines = await stores.machines.getMany(behind);
  const filterOf = bgpFilters(stores);
  for (const nic of view.nics) {
    const allocation = machines.get(machineOf.get(nic.name) ?? '')?.value.allocation;
    if (nic.vrf !== undefined && allocation !== undefined) nic.bgpFilter = await filterOf(allocation);
  }
  return view;
}

export async function switchOf(stores: Stores, id: string): Promise<Stored<apiV2.Switch>> {
  const stored = await stores.switches.get(id);
  if (stored === undefined) throw new ApiError(Code.NotFound, `there is no switch "${id}": register it first`);
  return stored;
}
