import { ApiError, apiV2, Code } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { manyWithPorts } from '../views/switch-view.ts';
import { isTwin } from './port-names.ts';
import { setMachines } from './set-machines.ts';
import { rewriteNeighbours } from './rewrite-neighbours.ts';

/**
 * Gives a switch that has come in the place of a broken one the machines and VRFs of its twin: the other switch of the rack
 * has the same machines on the same ports. False where there is no twin with machines. Throws `FailedPrecondition` with
 * what is missing.
 */
export async function replaceFromTwin(
  stores: Stores,
  former: apiV2.Switch,
  registered: apiV2.Switch,
): Promise<boolean> {
  const twin = await twinOf(stores, registered);
  if (twin === undefined) return false;
  const portFor = (name: string): apiV2.SwitchNic => {
    const found = registered.nics.find((nic) => isTwin(name, nic.name));
    if (found !== undefined) return found;
    throw refused(`switch ${registered.id} has no port for ${name} of its twin ${twin.id}: break its ports out alike`);
  };
  for (const nic of twin.nics) {
    const own = portFor(nic.name);
    if (nic.vrf !== undefined) await stores.ports.setVrf(registered.id, own.name, nic.vrf);
  }
  const connections = twin.machineConnections.map(({ machineId, nic }) => ({
    machineId,
    nic: portFor(nic?.name ?? ''),
  }));
  await setMachines(stores, registered.id, connections);
  for (const machine of new Set(connections.map((one) => one.machineId)))
    await rewriteNeighbours(stores, machine, former, registered.id, portFor);
  return true;
}

async function twinOf(stores: Stores, { id, partition, rack }: apiV2.Switch): Promise<apiV2.Switch | undefined> {
  const ofRack = (await stores.switches.list({ partition })).filter(
    ({ value }) => value.id !== id && (value.rack ?? '') === (rack ?? ''),
  );
  const others = (await manyWithPorts(stores, ofRack)).filter(
    (one) => one.replaceMode !== apiV2.SwitchReplaceMode.REPLACE && one.machineConnections.length > 0,
  );
  const [only] = others;
  if (others.length > 1)
    throw refused(
      `switch ${id} cannot tell its twin: ${others.map((one) => one.id).join(', ')} of rack "${rack ?? ''}" have machines`,
    );
  return only;
}

function refused(words: string): ApiError {
  return new ApiError(Code.FailedPrecondition, words);
}
