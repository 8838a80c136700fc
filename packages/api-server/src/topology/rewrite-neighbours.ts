import type { apiV2 } from '@ingot/api';
import type { Stores } from '../store/stores.ts';

/** Makes a machine's neighbours say what its LLDP will see once its cables are in the ports of another switch. */
export async function rewriteNeighbours(
  stores: Stores,
  machine: string,
  from: apiV2.Switch,
  to: string,
  twinOf: (port: string) => apiV2.SwitchNic,
): Promise<void> {
  if ((await stores.machines.get(machine)) === undefined) return;
  const byIdentifier = new Map(from.nics.map((nic) => [nic.identifier, nic.name]));
  await stores.machines.edit(machine, (value) => {
    for (const neighbour of value.hardware?.nics.flatMap((nic) => nic.neighbors) ?? []) {
      const name = byIdentifier.get(neighbour.identifier);
      if (neighbour.hostname !== from.id || name === undefined) continue;
      const twin = twinOf(name);
      neighbour.hostname = to;
      neighbour.identifier = twin.identifier;
      if (twin.mac !== undefined) neighbour.mac = twin.mac;
    }
  });
}
