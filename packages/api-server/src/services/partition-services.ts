import { adminV2, ApiError, apiV2, bindService, clone, Code, create, type BoundService } from '@ingot/api';
import { capacitiesOf } from '../allocation/capacity.ts';
import type { Caller } from '../auth/caller.ts';
import type { Stores } from '../store/stores.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { updateEntity, updateLabels } from './update-entity.ts';

const { PartitionSchema } = apiV2;

/** `metalstack.admin.v2.PartitionService`. What the configuration defines is changed there. */
export function adminPartitionService({
  stores,
  configured,
  clock,
  longReads,
}: ServiceDependencies): BoundService<Caller> {
  const checkFree = (id: string): void => {
    if (!configured.has(id)) return;
    throw new ApiError(
      Code.FailedPrecondition,
      `partition "${id}" is defined in the configuration of the API server: change it there, and restart the server`,
    );
  };
  return bindService<typeof adminV2.PartitionService, Caller>(adminV2.PartitionService, {
    async create({ partition: sent }) {
      const partition = sent === undefined ? create(PartitionSchema) : clone(PartitionSchema, sent);
      delete partition.meta;
      Object.assign(partition, labelsOnly(sent?.meta));
      return { partition: entityView(PartitionSchema, await stores.partitions.create(partition.id, partition)) };
    },
    async update(request) {
      checkFree(request.id);
      const stored = await updateEntity(stores.partitions, request.id, request.updateMeta, (partition) => {
        const { description, bootConfiguration, dnsServers, ntpServers, mgmtServiceAddresses } = request;
        if (description !== undefined) partition.description = description;
        if (bootConfiguration !== undefined) partition.bootConfiguration = bootConfiguration;
        if (dnsServers.length > 0) partition.dnsServers = dnsServers;
        if (ntpServers.length > 0) partition.ntpServers = ntpServers;
        if (mgmtServiceAddresses.length > 0) partition.mgmtServiceAddresses = mgmtServiceAddresses;
        updateLabels(partition, request.labels);
      });
      return { partition: entityView(PartitionSchema, stored) };
    },
    async capacity({ id, size, project }, { signal }) {
      using reading = new DisposableStack();
      reading.use(await longReads.enter(signal));
      return await stores.transaction(
        async (inner) => {
          const partitions = id === undefined ? await inner.partitions.list() : [await inner.partitions.need(id)];
          const asked = partitions.map((partition) => partition.id);
          return { partitionCapacity: await capacitiesOf(inner, clock, asked, { size, project }) };
        },
        { mode: 'read' },
      );
    },
    delete: ({ id }) =>
      stores.transaction(async (inner) => {
        checkFree(id);
        const stored = await inner.partitions.need(id);
        await checkUnused(inner, id);
        await inner.partitions.delete(id);
        return { partition: entityView(PartitionSchema, stored) };
      }),
  });
}

async function checkUnused(stores: Stores, id: string): Promise<void> {
  const counts = [
    [await stores.machines.count({ partition: id }), 'machines'],
    [await stores.switches.count({ partition: id }), 'switches'],
    [await stores.networks.count({ partition: id }), 'networks'],
    [
      (await stores.sizeReservations.list()).filter(({ value }) => value.partitions.includes(id)).length,
      'reservations',
    ],
  ] as const;
  const users = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (users.length > 0)
    throw new ApiError(Code.FailedPrecondition, `partition "${id}" has ${users.join(', ')}: delete those first`);
}
