import { ApiError, apiV2, Code, create } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { isTwin } from './port-names.ts';
import { setMachines } from './set-machines.ts';
import { rewriteNeighbours } from './rewrite-neighbours.ts';

/**
 * Gives what one switch has to another one of the same rack: VRFs, filters, wishes and the machines on its ports, whose
 * neighbours are rewritten. Both are `withPorts`. Ports are the same by name, or, between Cumulus and SONiC, by lane. Within one transaction:
 * either all of it moves, or nothing. Throws `FailedPrecondition` with each port that the new switch lacks.
 */
export async function moveSwitch(stores: Stores, from: apiV2.Switch, to: apiV2.Switch): Promise<void> {
  if (from.id === to.id) throw refused(`switch ${from.id} cannot be moved to itself`);
  if ((from.rack ?? '') !== (to.rack ?? '') || from.partition !== to.partition)
    throw refused(
      `switch ${from.id} is in partition "${from.partition}", rack "${from.rack ?? ''}", and ${to.id} in ` +
        `"${to.partition}", rack "${to.rack ?? ''}": machines have their two switches in one rack`,
    );
  if (to.machineConnections.length > 0)
    throw refused(`switch ${to.id} has ${to.machineConnections.length} machines of its own: move to one that has none`);
  const needed = from.nics.filter(
    (nic) => nic.vrf !== undefined || from.machineConnections.some((one) => one.nic?.name === nic.name),
  );
  const twins = new Map(needed.map((nic) => [nic.name, to.nics.find((other) => isTwin(nic.name, other.name))]));
  const missing = [...twins].filter(([, twin]) => twin === undefined).map(([name]) => name);
  if (missing.length > 0)
    throw refused(
      `switch ${to.id} has no port for ${missing.join(', ')} of ${from.id}: break its ports out alike; it has ` +
        to.nics.map(({ name }) => name).join(', '),
    );
  const twinOf = (name: string): apiV2.SwitchNic => twins.get(name) ?? unreachable(name);
  await stores.switches.edit(to.id, (leaf) => {
    for (const old of needed) {
      const nic = leaf.nics.find(({ name }) => name === twinOf(old.name).name);
      if (nic === undefined) continue;
      if (old.state?.desired !== undefined)
        nic.state = create(apiV2.NicStateSchema, {
          desired: old.state.desired,
          actual: nic.state?.actual ?? apiV2.SwitchPortStatus.UNKNOWN,
        });
    }
  });
  for (const { name, vrf } of needed) await stores.ports.setVrf(to.id, twinOf(name).name, vrf);
  await stores.ports.clearVrfs(from.id);
  await setMachines(stores, from.id, []);
  await setMachines(
    stores,
    to.id,
    from.machineConnections.map(({ machineId, nic }) => ({ machineId, nic: twinOf(nic?.name ?? '') })),
  );
  for (const machine of new Set(from.machineConnections.map((one) => one.machineId)))
    await rewriteNeighbours(stores, machine, from, to.id, twinOf);
}

function unreachable(name: string): never {
  throw new TypeError(`port ${name} was not looked for`);
}

function refused(words: string): ApiError {
  return new ApiError(Code.FailedPrecondition, words);
}
