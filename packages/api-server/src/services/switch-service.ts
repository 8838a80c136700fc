import { ApiError, apiV2, bindService, clone, Code, infraV2, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { applyHeartbeat } from '../topology/heartbeat.ts';
import { registerSwitch } from '../topology/register-switch.ts';
import { switchView } from '../views/switch-view.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.infra.v2.SwitchService`: the switch agent's side. */
export function switchService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof infraV2.SwitchService, Caller>(infraV2.SwitchService, {
    get: ({ id }) => ({ switch: switchView(stores, switchOf(stores, id)) }),
    register({ switch: registered }) {
      if (registered === undefined) throw new ApiError(Code.InvalidArgument, 'switch is required');
      return { switch: switchView(stores, registerSwitch(stores, clone(apiV2.SwitchSchema, registered))) };
    },
    heartbeat(request) {
      const status = stores.database.transaction(() =>
        applyHeartbeat(stores, switchOf(stores, request.id), request, clock.now()),
      );
      return {
        id: request.id,
        ...(status.lastSync === undefined ? {} : { lastSync: status.lastSync }),
        ...(status.lastSyncError === undefined ? {} : { lastSyncError: status.lastSyncError }),
      };
    },
  });
}

export function switchOf(stores: Stores, id: string): Stored<apiV2.Switch> {
  const stored = stores.switches.get(id);
  if (stored === undefined) throw new ApiError(Code.NotFound, `there is no switch "${id}": register it first`);
  return stored;
}
