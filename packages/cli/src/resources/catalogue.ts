import { apiV2 } from '@ingot/api';
import { call } from '../api.ts';
import { given } from './given.ts';
import { resource, textAt, type Resource } from './resource.ts';

const labelsOf = (message: { readonly meta?: apiV2.Meta | undefined }): { readonly labels?: apiV2.UpdateLabels } =>
  message.meta?.labels === undefined
    ? {}
    : {
        labels: {
          $typeName: 'metalstack.api.v2.UpdateLabels',
          strategy: { case: 'replace', value: message.meta.labels },
        },
      };

const OF_PROJECT = {
  flag: '--project <uuid>',
  description: 'only what belongs to this project; enough for this is a token of the project',
} as const;

/** Every kind that can be listed, applied and removed, in the order in which documents have to be applied. */
export const RESOURCES: readonly Resource[] = [
  resource({
    kind: 'tenant',
    description: 'who projects belong to',
    schema: apiV2.TenantSchema,
    columns: [
      { title: 'LOGIN', value: 'login' },
      { title: 'NAME', value: 'name' },
      { title: 'EMAIL', value: 'email' },
      { title: 'DESCRIPTION', value: 'description', wide: true },
    ],
    fixed: ['createdBy', 'login'],
    made: ['createdBy'],
    scope: {
      flag: '--mine',
      description: 'only those that you are a member of',
      list: async (api) => (await api.tenants.list({}, call)).tenants,
    },
    get: async (api, login) => (await api.tenants.get({ login }, call)).tenant,
    idOf: ({ login }) => login,
    list: async (api) => (await api.adminTenants.list({}, call)).tenants,
    create: async (api, { login, name, description, email, avatarUrl, meta }) =>
      (
        await api.adminTenants.create(
          {
            name: login === '' ? name : login,
            description,
            ...(email === '' ? {} : { email }),
            ...(avatarUrl === '' ? {} : { avatarUrl }),
            ...given('labels', meta?.labels),
          },
          call,
        )
      ).tenant,
    update: async (api, login, message, updateMeta) =>
      (
        await api.tenants.update(
          {
            login,
            updateMeta,
            name: message.name,
            description: message.description,
            ...given('email', message.email || undefined),
            ...given('avatarUrl', message.avatarUrl || undefined),
            ...labelsOf(message),
          },
          call,
        )
      ).tenant,
    remove: (api, login) => api.tenants.delete({ login }, call),
  }),
  resource({
    kind: 'project',
    description: 'what machines, networks and addresses belong to',
    schema: apiV2.ProjectSchema,
    columns: [
      { title: 'UUID', value: 'uuid' },
      { title: 'NAME', value: 'name' },
      { title: 'TENANT', value: 'tenant' },
      { title: 'DESCRIPTION', value: 'description' },
    ],
    fixed: ['uuid', 'tenant'],
    made: ['uuid'],
    scope: {
      flag: '--mine',
      description: 'only those that you are a member of',
      list: async (api) => (await api.projects.list({}, call)).projects,
    },
    get: async (api, project) => (await api.projects.get({ project }, call)).project,
    idOf: ({ uuid }) => uuid,
    list: async (api) => (await api.adminProjects.list({}, call)).projects,
    create: async (api, { name, description, tenant, avatarUrl, meta }) =>
      (
        await api.projects.create(
          { login: tenant, name, description, ...given('avatarUrl', avatarUrl), ...given('labels', meta?.labels) },
          call,
        )
      ).project,
    update: async (api, project, message, updateMeta) =>
      (
        await api.projects.update(
          {
            project,
            updateMeta,
            name: message.name,
            description: message.description,
            ...given('avatarUrl', message.avatarUrl),
            ...labelsOf(message),
          },
          call,
        )
      ).project,
    remove: (api, project) => api.projects.delete({ project }, call),
  }),
  resource({
    kind: 'partition',
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
  }),
  resource({
    kind: 'size',
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
  }),
  resource({
    kind: 'size-reservation',
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
            name: message.name,
            description: message.description,
            partitions: message.partitions,
            amount: message.amount,
            ...labelsOf(message),
          },
          call,
        )
      ).sizeReservation,
    remove: (api, id) => api.sizeReservations.delete({ id }, call),
  }),
  resource({
    kind: 'image',
    description: 'operating systems to install',
    schema: apiV2.ImageSchema,
    columns: [
      { title: 'ID', value: 'id' },
      { title: 'NAME', value: 'name' },
      { title: 'FEATURES', value: ({ features }) => enumTexts(features, 'IMAGE_FEATURE_') },
      { title: 'CLASSIFICATION', value: ({ classification }) => enumTexts(classification, 'IMAGE_CLASSIFICATION_') },
      { title: 'EXPIRES', value: 'expiresAt' },
      { title: 'URL', value: 'url', wide: true },
    ],
    get: async (api, id) => (await api.images.get({ id }, call)).image,
    idOf: ({ id }) => id,
    list: async (api) => (await api.images.list({}, call)).images,
    create: async (api, image) => (await api.adminImages.create({ image }, call)).image,
    update: async (api, id, message, updateMeta) =>
      (
        await api.adminImages.update(
          {
            id,
            updateMeta,
            url: message.url,
            ...given('name', message.name),
            ...given('description', message.description),
            features: message.features,
            classification: message.classification,
            ...given('expiresAt', message.expiresAt),
            ...labelsOf(message),
          },
          call,
        )
      ).image,
    remove: (api, id) => api.adminImages.delete({ id }, call),
  }),
  resource({
    kind: 'size-image-constraint',
    description: 'which images machines of a size may be installed with',
    schema: apiV2.SizeImageConstraintSchema,
    columns: [
      { title: 'SIZE', value: 'size' },
      { title: 'DESCRIPTION', value: 'description' },
      { title: 'IMAGES', value: ({ imageConstraints }) => rangesText(imageConstraints) },
    ],
    get: async (api, size) => (await api.sizeImageConstraints.get({ size }, call)).sizeImageConstraint,
    idOf: ({ size }) => size,
    list: async (api) => (await api.sizeImageConstraints.list({}, call)).sizeImageConstraints,
    create: async (api, message) =>
      (await api.sizeImageConstraints.create(constraintFields(message), call)).sizeImageConstraint,
    update: async (api, _size, message, updateMeta) =>
      (await api.sizeImageConstraints.update({ ...constraintFields(message), updateMeta }, call)).sizeImageConstraint,
    remove: (api, size) => api.sizeImageConstraints.delete({ size }, call),
  }),
  resource({
    kind: 'filesystem-layout',
    description: 'how disks are partitioned and formatted',
    schema: apiV2.FilesystemLayoutSchema,
    columns: [
      { title: 'ID', value: 'id' },
      { title: 'DESCRIPTION', value: 'description' },
      { title: 'SIZES', value: 'constraints.sizes' },
      { title: 'IMAGES', value: ({ constraints }) => textAt(constraints, 'images') },
    ],
    get: async (api, id) => (await api.filesystems.get({ id }, call)).filesystemLayout,
    idOf: ({ id }) => id,
    list: async (api) => (await api.filesystems.list({}, call)).filesystemLayouts,
    create: async (api, filesystemLayout) =>
      (await api.adminFilesystems.create({ filesystemLayout }, call)).filesystemLayout,
    update: async (api, id, message, updateMeta) =>
      (
        await api.adminFilesystems.update(
          {
            id,
            updateMeta,
            ...given('name', message.name),
            ...given('description', message.description),
            filesystems: message.filesystems,
            disks: message.disks,
            raid: message.raid,
            volumeGroups: message.volumeGroups,
            logicalVolumes: message.logicalVolumes,
            ...given('constraints', message.constraints),
          },
          call,
        )
      ).filesystemLayout,
    remove: (api, id) => api.adminFilesystems.delete({ id }, call),
  }),
  resource({
    kind: 'network',
    description: 'prefixes that machines and addresses are taken from',
    schema: apiV2.NetworkSchema,
    columns: [
      { title: 'ID', value: 'id' },
      { title: 'NAME', value: 'name' },
      { title: 'TYPE', value: ({ type }) => enumTexts(type, 'NETWORK_TYPE_') },
      { title: 'PARTITION', value: 'partition' },
      { title: 'PROJECT', value: 'project' },
      { title: 'PREFIXES', value: 'prefixes' },
      { title: 'VRF', value: 'vrf' },
      { title: 'PARENT', value: 'parentNetwork', wide: true },
      { title: 'USED', value: ({ consumption }) => textAt(consumption, 'ipv4.usedIps'), wide: true },
    ],
    fixed: ['consumption', 'vrf', 'type', 'project', 'partition', 'parentNetwork', 'namespace'],
    made: ['consumption', 'namespace'],
    scope: {
      ...OF_PROJECT,
      list: async (api, project) => (await api.projectNetworks.list({ project }, call)).networks,
    },
    get: async (api, id, project) =>
      project === undefined
        ? (await api.networks.get({ id }, call)).network
        : (await api.projectNetworks.get({ id, project }, call)).network,
    idOf: ({ id }) => id,
    list: async (api) => (await api.networks.list({}, call)).networks,
    create: async (
      api,
      { $typeName: _name, $unknown: _unknown, meta, namespace: _namespace, consumption: _consumption, ...fields },
    ) => (await api.networks.create({ ...fields, ...given('labels', meta?.labels) }, call)).network,
    update: async (api, id, message, updateMeta) =>
      (
        await api.networks.update(
          {
            id,
            updateMeta,
            ...given('name', message.name),
            ...given('description', message.description),
            ...(message.parentNetwork === undefined ? { prefixes: message.prefixes } : {}),
            destinationPrefixes: message.destinationPrefixes,
            ...given('defaultChildPrefixLength', message.defaultChildPrefixLength),
            ...given('minChildPrefixLength', message.minChildPrefixLength),
            additionalAnnouncableCidrs: message.additionalAnnouncableCidrs,
            ...(message.parentNetwork === undefined ? given('natType', message.natType || undefined) : {}),
            ...labelsOf(message),
          },
          call,
        )
      ).network,
    remove: (api, id) => api.networks.delete({ id }, call),
  }),
  resource({
    kind: 'ip',
    description: 'addresses of projects',
    schema: apiV2.IPSchema,
    columns: [
      { title: 'IP', value: 'ip' },
      { title: 'NAME', value: 'name' },
      { title: 'NETWORK', value: 'network' },
      { title: 'PROJECT', value: 'project' },
      { title: 'TYPE', value: ({ type }) => enumTexts(type, 'IP_TYPE_') },
      { title: 'UUID', value: 'uuid', wide: true },
    ],
    fixed: ['uuid', 'network', 'project', 'namespace', 'ip'],
    made: ['uuid', 'namespace'],
    scope: { ...OF_PROJECT, list: async (api, project) => (await api.ips.list({ project }, call)).ips },
    get: async (api, ip, project) =>
      project === undefined
        ? onlyOf((await api.adminIps.list({ query: { ip } }, call)).ips)
        : (await api.ips.get({ ip, project }, call)).ip,
    idOf: ({ ip }) => ip,
    list: async (api) => (await api.adminIps.list({}, call)).ips,
    create: async (api, { ip, name, description, network, project, type, meta }) =>
      (
        await api.ips.create(
          { network, project, name, description, type, ...(ip === '' ? {} : { ip }), ...given('labels', meta?.labels) },
          call,
        )
      ).ip,
    update: async (api, ip, message, updateMeta) =>
      (
        await api.ips.update(
          {
            ip,
            project: message.project,
            updateMeta,
            name: message.name,
            description: message.description,
            type: message.type,
            ...labelsOf(message),
          },
          call,
        )
      ).ip,
    remove: (api, ip, { project }) => api.ips.delete({ ip, project }, call),
  }),
];

/** The same address may be in several namespaces. */
function onlyOf<T>(found: readonly T[]): T | undefined {
  return found.length === 1 ? found[0] : undefined;
}

function constraintFields({ size, imageConstraints, name, description }: apiV2.SizeImageConstraint): {
  readonly size: string;
  readonly imageConstraints: apiV2.ImageConstraint[];
  readonly name?: string;
  readonly description?: string;
} {
  return { size, imageConstraints, ...given('name', name), ...given('description', description) };
}

type Cell = Parameters<typeof textAt>[0];

function eachOf(list: Cell, field: string): string {
  return Array.isArray(list) ? list.map((one) => textAt(one, field)).join(',') : '';
}

/** `IMAGE_FEATURE_MACHINE` as `machine`. */
function enumTexts(value: Cell, prefix: string): string {
  const words = (one: Cell): string => (typeof one === 'string' ? one.replace(prefix, '').toLowerCase() : '');
  return Array.isArray(value) ? value.map(words).join(',') : words(value);
}

function constraintText(list: Cell): string {
  if (!Array.isArray(list)) return '';
  return list
    .map((one) => {
      const [type, min, max, of] = ['type', 'min', 'max', 'identifier'].map((field) => textAt(one, field));
      const range = min === max ? (min ?? '') : `${min === '' ? '0' : min}-${max}`;
      return `${enumTexts(type, 'SIZE_CONSTRAINT_TYPE_')} ${range}${of === '' ? '' : ` of ${of}`}`;
    })
    .join('; ');
}

function rangesText(list: Cell): string {
  return Array.isArray(list)
    ? list.map((one) => `${textAt(one, 'image')} ${textAt(one, 'semverMatch')}`).join('; ')
    : '';
}
