import { apiV2 } from '@ingot/api';
import type { Stores } from '../store/stores.ts';

/** Puts the ports that a machine is connected to into a VRF (`default`, `vrf104001`), or, with undefined, into none. */
export async function setPortVrfs(stores: Stores, machine: string, vrf: string | undefined): Promise<void> {
  for (const { switchId, port } of await stores.ports.ofMachine(machine))
    await stores.ports.setVrf(switchId, port, vrf);
}

/** The VRF for the ports of an allocated machine: that of its project's network; a firewall speaks to all of them. */
export function vrfOf({ allocationType, networks, project }: apiV2.MachineAllocation): string {
  if (allocationType === apiV2.MachineAllocationType.FIREWALL) return 'default';
  const own = networks.find((network) => network.project === project) ?? networks[0];
  return `vrf${own?.vrf ?? 0n}`;
}
