import { apiV2 } from '@ingot/api';
import { call } from '../api.ts';
import { enumTexts } from './cells.ts';
import { given } from './given.ts';
import { resource, textAt, type Resource } from './resource.ts';
import { labelsOf, OF_PROJECT } from './shared.ts';

export const NETWORK: Resource = resource({
  kind: 'network',
  needs: ['type'],
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
  changeable: { emptiable: ['description', 'defaultChildPrefixLength', 'minChildPrefixLength'] },
  remove: (api, id) => api.networks.delete({ id }, call),
});

export const IP: Resource = resource({
  kind: 'ip',
  needs: ['network', 'project'],
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
        {
          network,
          project,
          ...given('name', name || undefined),
          description,
          type,
          ...given('ip', ip || undefined),
          ...given('labels', meta?.labels),
        },
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
          ...given('name', message.name || undefined),
          description: message.description,
          type: message.type,
          ...labelsOf(message),
        },
        call,
      )
    ).ip,
  remove: (api, ip, { project }) => api.ips.delete({ ip, project }, call),
});

/** The same address may be in several namespaces. */
function onlyOf<T>(found: readonly T[]): T | undefined {
  return found.length === 1 ? found[0] : undefined;
}
