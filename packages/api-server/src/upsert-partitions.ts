import { apiV2, create, describeViolations, validate } from '@ingot/api';
import type { PartitionConfig } from './config.ts';
import type { Stores } from './store/stores.ts';

/** Writes the partitions of the configuration; those that it does not name are left alone. Throws for a bad one. */
export async function upsertPartitions(
  outer: Stores,
  partitions: readonly PartitionConfig[],
  now: number,
): Promise<void> {
  await outer.transaction(async (stores) => {
    for (const { id, description, bootConfiguration, dnsServers, ntpServers } of partitions) {
      const partition = create(apiV2.PartitionSchema, {
        id,
        description,
        bootConfiguration,
        dnsServers: dnsServers.map((ip) => ({ ip })),
        ntpServers: ntpServers.map((address) => ({ address })),
      });
      const violations = validate(apiV2.PartitionSchema, partition, now);
      if (violations.length > 0) throw new RangeError(`partition "${id}": ${describeViolations(violations)}`);
      await stores.partitions.put(id, partition);
    }
  });
}
