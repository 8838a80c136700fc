import { ApiError, apiV2, create, Code, timestampFromMs, type infraV2 } from '@ingot/api';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

/**
 * Stores what a heartbeat says. An empty map of port states or of BGP states means "not looked at" and changes nothing;
 * otherwise every registered port must have a state, and a port without BGP state has no session any more.
 * What is desired of a port stays desired when it is reached.
 */
export async function applyHeartbeat(
  stores: Stores,
  stored: Stored<apiV2.Switch>,
  request: infraV2.SwitchServiceHeartbeatRequest,
  now: number,
): Promise<apiV2.Switch> {
  const { portStates, bgpPortStates } = request;
  const status = await stores.switchStatus.get(stored.id);
  const sync = create(apiV2.SwitchSyncSchema, {
    time: timestampFromMs(now),
    ...(request.duration === undefined ? {} : { duration: request.duration }),
    ...(failed(request) ? { error: request.error } : {}),
  });
  if (failed(request)) status.lastSyncError = sync;
  else status.lastSync = sync;

  const anyPort = Object.keys(portStates).length > 0;
  const anySession = Object.keys(bgpPortStates).length > 0;
  const missing = stored.value.nics.map((nic) => nic.name).filter((name) => portStates[name] === undefined);
  if (anyPort && missing.length > 0) {
    throw new ApiError(
      Code.InvalidArgument,
      `port_states lacks ${missing.join(', ')}: report every registered port of ${stored.id}, or none`,
    );
  }
  const before = new Map(status.nics.map((nic) => [nic.name, nic]));
  status.nics = stored.value.nics.map((nic) => {
    const old = before.get(nic.name);
    const actual = anyPort ? portStates[nic.name] : old?.state?.actual;
    const session = anySession ? bgpPortStates[nic.name] : old?.bgpPortState;
    return create(apiV2.SwitchNicSchema, {
      name: nic.name,
      ...(actual === undefined ? {} : { state: { actual } }),
      ...(session === undefined ? {} : { bgpPortState: session }),
    });
  });
  await stores.switchStatus.put(stored.id, status);
  return status;
}

// An empty text is how proto3 clients without field presence say "no error".
function failed(request: infraV2.SwitchServiceHeartbeatRequest): boolean {
  return request.error !== undefined && request.error !== '';
}
