import { ApiError, Code } from '@ingot/api';
import { allocatedWith } from '../machine/allocated-with.ts';
import { Pool } from '../store/number-pools.ts';
import type { Stores } from '../store/stores.ts';

/** Deletes a network that nothing uses, within a transaction serialised by `IPAM`. Throws `FailedPrecondition` naming what does. */
export async function deleteNetwork(stores: Stores, id: string): Promise<void> {
  const children = await stores.networks.list({ parent: id });
  const addresses = await stores.ips.count({ network: id });
  const machines = await allocatedWith(
    stores,
    id,
    ({ allocation }) => allocation?.networks.some(({ network }) => network === id) === true,
  );
  const users = [
    ...(children.length === 0
      ? []
      : [
          `${children.length} children (${children
            .slice(0, 3)
            .map((one) => one.id)
            .join(', ')})`,
        ]),
    ...(addresses === 0 ? [] : [`${addresses} addresses`]),
    ...(machines.length === 0 ? [] : [`${machines.length} machines`]),
  ];
  if (users.length > 0)
    throw new ApiError(Code.FailedPrecondition, `network "${id}" has ${users.join(', ')}: delete those first`);
  await stores.session.run('DELETE FROM network_prefix WHERE network = ?', id);
  await stores.numbers.release(Pool.Vrf, id);
  await stores.networks.delete(id);
}
