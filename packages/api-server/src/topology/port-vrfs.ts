import { apiV2 } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { switchesOfMachine } from './switches-of-machine.ts';

/** Puts the ports that a machine is connected to into a VRF (`default`, `vrf104001`), or, with undefined, into none. */
export async function setPortVrfs(stores: Stores, machine: string, vrf: string | undefined): Promise<void> {
  for (const { id, value } of (await switchesOfMachine(stores, machine)).values()) {
    const ports = new Set(
      value.machineConnections.filter((one) => one.machineId === machine).map((one) => one.nic?.name ?? ''),
    );
    await stores.switches.edit(id, (leaf) => {
      for (const nic of leaf.nics) {
        if (!ports.has(nic.name)) continue;
        if (vrf === undefined) delete nic.vrf;
        else nic.vrf = vrf;
      }
    });
  }
}

/** The VRF for the ports of an allocated machine: that of its project's network; a firewall speaks to all of them. */
export function vrfOf({ allocationType, networks, project }: apiV2.MachineAllocation): string {
  if (allocationType === apiV2.MachineAllocationType.FIREWALL) return 'default';
  const own = networks.find((network) => network.project === project) ?? networks[0];
  return `vrf${own?.vrf ?? 0n}`;
}
