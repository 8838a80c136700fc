import { apiV2 } from '@ingot/api';
import { call } from '../api.ts';
import { type Cell, eachOf, enumTexts } from './cells.ts';
import { given } from './given.ts';
import { resource, textAt, type Resource } from './resource.ts';
import { labelsOf, OF_PROJECT } from './shared.ts';

export const PARTITION: Resource = resource({
  kind: 'partition',
  needs: ['id'],
  description: 'places with switches, machines and a boot server of their own',
  schema: apiV2.PartitionSchema,
  columns: [
    { title: 'ID', value: 'id' },
    { title: 'DESCRIPTION', value: 'description' },
    { title: 'DNS', value: ({ dnsServers }) => eachOf(dnsServers, 'ip') },
    { title: 'NTP', value: ({ ntpServers }) => eachOf(ntpServers, 'address') },
    { title: 'KERNEL', value: 'bootConfiguration.kernelUrl', wide: true },
    { title: 'INITRD', value: 'bootConfiguration.imageUrl', wide: true },
  ],
  get: async (api, id) => (await api.partitions.get({ id }, call)).partition,
  idOf: ({ id }) => id,
  list: async (api) => (await api.partitions.list({}, call)).partitions,
  create: async (api, partition) => (await api.adminPartitions.create({ partition }, call)).partition,
  update: async (api, id, message, updateMeta) =>
    (
      await api.adminPartitions.update(
        {
          id,
          updateMeta,
          description: message.description,
          ...given('bootConfiguration', message.bootConfiguration),
          dnsServers: message.dnsServers,
          ntpServers: message.ntpServers,
          mgmtServiceAddresses: message.mgmtServiceAddresses,
          ...labelsOf(message),
        },
        call,
      )
    ).partition,
  remove: (api, id) => api.adminPartitions.delete({ id }, call),
});

export const SIZE: Resource = resource({
  kind: 'size',
  needs: ['id'],
  description: 'classes of machines with the same hardware',
  schema: apiV2.SizeSchema,
  columns: [
    { title: 'ID', value: 'id' },
    { title: 'NAME', value: 'name' },
    { title: 'DESCRIPTION', value: 'description' },
    { title: 'CONSTRAINTS', value: ({ constraints }) => constraintText(constraints) },
  ],
  get: async (api, id) => (await api.sizes.get({ id }, call)).size,
  idOf: ({ id }) => id,
  list: async (api) => (await api.sizes.list({}, call)).sizes,
  create: async (api, size) => (await api.adminSizes.create({ size }, call)).size,
  update: async (api, id, message, updateMeta) =>
    (
      await api.adminSizes.update(
        {
          id,
          updateMeta,
          ...given('name', message.name),
          ...given('description', message.description),
          constraints: message.constraints,
          ...labelsOf(message),
        },
        call,
      )
    ).size,
  remove: (api, id) => api.adminSizes.delete({ id }, call),
});

export const SIZE_RESERVATION: Resource = resource({
  kind: 'size-reservation',
  needs: ['size', 'project', 'partitions', 'amount'],
  description: 'machines of a size that are kept for a project',
  schema: apiV2.SizeReservationSchema,
  columns: [
    { title: 'ID', value: 'id' },
    { title: 'NAME', value: 'name' },
    { title: 'SIZE', value: 'size' },
    { title: 'PROJECT', value: 'project' },
    { title: 'PARTITIONS', value: 'partitions' },
    { title: 'AMOUNT', value: 'amount' },
  ],
  fixed: ['id', 'project', 'size'],
  made: ['id'],
  scope: {
    ...OF_PROJECT,
    list: async (api, project) => (await api.projectSizeReservations.list({ project }, call)).sizeReservations,
  },
  get: async (api, id, project) =>
    project === undefined
      ? (await api.sizeReservations.list({ query: { id } }, call)).sizeReservations[0]
      : (await api.projectSizeReservations.get({ id, project }, call)).sizeReservation,
  idOf: ({ id }) => id,
  list: async (api) => (await api.sizeReservations.list({}, call)).sizeReservations,
  create: async (api, sizeReservation) =>
    (await api.sizeReservations.create({ sizeReservation }, call)).sizeReservation,
  update: async (api, id, message, updateMeta) =>
    (
      await api.sizeReservations.update(
        {
          id,
          updateMeta,
          ...given('name', message.name || undefined),
          description: message.description,
          partitions: message.partitions,
          amount: message.amount,
          ...labelsOf(message),
        },
        call,
      )
    ).sizeReservation,
  remove: (api, id) => api.sizeReservations.delete({ id }, call),
});

function constraintText(list: Cell): string {
  if (!Array.isArray(list)) return '';
  return list
    .map((one) => {
      const [type = '', of = ''] = ['type', 'identifier'].map((field) => textAt(one, field));
      const [min, max] = ['min', 'max'].map((field) => amountText(type, textAt(one, field)));
      const range = min === max ? (min ?? '') : `${min ?? ''}-${max ?? ''}`;
      return `${enumTexts(type, 'SIZE_CONSTRAINT_TYPE_')} ${range}${of === '' ? '' : ` of ${of}`}`;
    })
    .join('; ');
}

const GIB = 2n ** 30n;

/** Bytes in GiB where they are whole ones; numbers of other things as they are. */
function amountText(type: string, amount: string): string {
  if (amount === '') return '0';
  const isBytes = type.endsWith('_MEMORY') || type.endsWith('_STORAGE');
  return isBytes && BigInt(amount) % GIB === 0n ? `${BigInt(amount) / GIB}GiB` : amount;
}
