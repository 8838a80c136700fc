import { ApiError, apiV2, bindService, Code, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { partitionView } from '../views/partition-view.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.api.v2.VersionService`. */
export function versionService({ version }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.VersionService, Caller>(apiV2.VersionService, {
    get: () => ({ version: { version, revision: `ingot-api-server ${version}` } }),
  });
}

/** `metalstack.api.v2.HealthService`: the database is all that this server depends on. */
export function healthService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.HealthService, Caller>(apiV2.HealthService, {
    async get() {
      await stores.session.get('SELECT 1');
      return {
        health: {
          services: [
            {
              name: apiV2.Service.MACHINES,
              status: apiV2.ServiceStatus.HEALTHY,
              message: 'the database answers',
            },
          ],
        },
      };
    },
  });
}

/** `metalstack.api.v2.PartitionService`. */
export function partitionService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.PartitionService, Caller>(apiV2.PartitionService, {
    async get({ id }) {
      const stored = await stores.partitions.get(id);
      if (stored === undefined) throw new ApiError(Code.NotFound, `there is no partition "${id}"`);
      return { partition: partitionView(stored) };
    },
    async list({ query }) {
      const labels = Object.entries(query?.labels?.labels ?? {});
      const partitions = (await stores.partitions.list())
        .map(partitionView)
        .filter(
          (partition) =>
            (query?.id === undefined || partition.id === query.id) &&
            labels.every(([key, value]) => partition.meta?.labels?.labels[key] === value),
        );
      return { partitions };
    },
  });
}
