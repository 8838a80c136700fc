import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import {
  formatIpPrefix,
  ipRangeContains,
  ipRangesOverlap,
  parseInterfaceAddress,
  parseIpAddress,
  type IpPrefix,
} from '@ingot/wire';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { consumptionOf } from '../network/consumption.ts';
import {
  addPrefixes,
  checkChildLengths,
  checkFree,
  childPrefixes,
  createNetwork,
  IPAM,
  isChild,
  isSuper,
  parseAll,
  stored as storedPrefix,
  within,
} from '../network/create-network.ts';
import { Pool } from '../store/number-pools.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { entityView } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { once } from './once.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { NetworkSchema, NetworkType: Type } = apiV2;

/** `metalstack.api.v2.NetworkService`: networks of one project, and those that it may use. */
export function networkService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  /** Somebody else's network looks like none. */
  const own = async (inner: Stores, id: string, project: string): Promise<Stored<apiV2.Network>> => {
    const found = await inner.networks.get(id);
    if (found === undefined || found.value.project !== project)
      throw new ApiError(Code.NotFound, `project ${project} has no network "${id}"`);
    return found;
  };
  return bindService<typeof apiV2.NetworkService, Caller>(apiV2.NetworkService, {
    async get({ id, project }) {
      const found = await stores.networks.get(id);
      if (found === undefined || !mayUse(found.value, project))
        throw new ApiError(Code.NotFound, `project ${project} has no network "${id}"`);
      return { network: await networkView(stores, found) };
    },
    create: (request, context) =>
      once(stores, {
        method: apiV2.NetworkService.method.create,
        request,
        context,
        ...IPAM,
        make: async (inner) => {
          const created = await createNetwork(inner, {
            id: uuidV7(clock.now(), entropy),
            type: Type.CHILD,
            project: request.project,
            name: request.name,
            description: request.description,
            partition: request.partition,
            labels: request.labels,
            parentNetwork: request.parentNetwork,
            length: request.length,
            addressFamily: request.addressFamily,
            prefixes: [],
            destinationPrefixes: [],
            additionalAnnouncableCidrs: [],
          });
          return { id: created.id, answer: { network: await networkView(inner, created) } };
        },
        again: async (inner, id) => ({ network: await networkView(inner, await own(inner, id, request.project)) }),
      }),
    async update({ id, project, updateMeta, name, description, labels }) {
      await own(stores, id, project);
      const changed = await updateEntity(stores.networks, id, updateMeta, (network) => {
        if (name !== undefined) network.name = name;
        if (description !== undefined) network.description = description;
        updateLabels(network, labels);
      });
      return { network: await networkView(stores, changed) };
    },
    async list({ project, query }) {
      return { networks: await listed(stores, query, (network) => network.project === project) };
    },
    async listBaseNetworks({ project, query }) {
      return {
        networks: await listed(stores, query, (network) => network.project !== project && mayUse(network, project)),
      };
    },
    delete: ({ id, project }) =>
      stores.transaction(async (inner) => {
        await own(inner, id, project);
        return { network: await deleteNetwork(inner, id) };
      }, IPAM),
  });
}

/** `metalstack.admin.v2.NetworkService`. */
export function adminNetworkService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.NetworkService, Caller>(adminV2.NetworkService, {
    get: async ({ id }) => ({ network: await networkView(stores, await stores.networks.need(id)) }),
    create: (request, context) =>
      once(stores, {
        method: adminV2.NetworkService.method.create,
        request,
        context,
        ...IPAM,
        make: async (inner) => {
          const created = await createNetwork(inner, { ...request, id: request.id ?? uuidV7(clock.now(), entropy) });
          return { id: created.id, answer: { network: await networkView(inner, created) } };
        },
        again: async (inner, id) => ({ network: await networkView(inner, await inner.networks.need(id)) }),
      }),
    update: (request) => stores.transaction(async (inner) => ({ network: await updateNetwork(inner, request) }), IPAM),
    delete: ({ id }) => stores.transaction(async (inner) => ({ network: await deleteNetwork(inner, id) }), IPAM),
    list: async ({ query }) => ({ networks: await listed(stores, query, () => true) }),
    listExternalMembers: noExternalMembers,
    addExternalMember: noExternalMembers,
    removeExternalMember: noExternalMembers,
  });
}

/** The contract names switches and their ports, and not what a switch is to do with them. */
function noExternalMembers(): never {
  throw new ApiError(
    Code.Unimplemented,
    'this server keeps no external members of networks: the contract does not say what they mean for a switch, and a port ' +
      'in the wrong VRF is a leak; configure such ports on the switch itself',
  );
}

/** What belongs to nobody, what is shared, and the project's own; an underlay is for firewalls, and given to them. */
function mayUse(network: apiV2.Network, project: string): boolean {
  if (network.type === Type.UNDERLAY) return false;
  return network.project === undefined || network.project === project || network.type === Type.CHILD_SHARED;
}

async function networkView(stores: Stores, found: Stored<apiV2.Network>): Promise<apiV2.Network> {
  const view = entityView(NetworkSchema, found);
  view.consumption = await consumptionOf(stores, found.value);
  return view;
}

async function updateNetwork(stores: Stores, request: adminV2.NetworkServiceUpdateRequest): Promise<apiV2.Network> {
  const { id, updateMeta } = request;
  const changed = await updateEntity(stores.networks, id, updateMeta, (network) => {
    if (request.name !== undefined) network.name = request.name;
    if (request.description !== undefined) network.description = request.description;
    updateLabels(network, request.labels);
    if (request.prefixes.length > 0) network.prefixes = request.prefixes;
    if (request.destinationPrefixes.length > 0) network.destinationPrefixes = request.destinationPrefixes;
    if (request.defaultChildPrefixLength !== undefined)
      network.defaultChildPrefixLength = request.defaultChildPrefixLength;
    if (request.minChildPrefixLength !== undefined) network.minChildPrefixLength = request.minChildPrefixLength;
    if (request.natType !== undefined) network.natType = request.natType;
    if (request.additionalAnnouncableCidrs.length > 0)
      network.additionalAnnouncableCidrs = request.additionalAnnouncableCidrs;
    checkKind(network, request);
  });
  const network = changed.value;
  const problems: string[] = [];
  const prefixes = parseAll('prefixes', network.prefixes, problems);
  parseAll('destination_prefixes', network.destinationPrefixes, problems);
  parseAll('additional_announcable_cidrs', network.additionalAnnouncableCidrs, problems);
  for (const [index, one] of prefixes.entries())
    if (prefixes.slice(index + 1).some((other) => ipRangesOverlap(one, other)))
      problems.push(`prefix ${formatIpPrefix(one)} overlaps with another one of the same network`);
  if (isSuper(network.type)) checkChildLengths(network, prefixes, problems);
  if (problems.length > 0) throw new ApiError(Code.InvalidArgument, `network "${id}": ${problems.join('; ')}`);
  if (request.prefixes.length > 0) {
    await checkFree(stores, id, prefixes);
    await checkNothingLost(stores, network, prefixes);
    await stores.session.run('DELETE FROM network_prefix WHERE network = ?', id);
    await addPrefixes(stores, id, '', network.prefixes);
  }
  return networkView(stores, changed);
}

function checkKind(network: apiV2.Network, request: adminV2.NetworkServiceUpdateRequest): void {
  const { prefixes, defaultChildPrefixLength, minChildPrefixLength } = request;
  if (isChild(network.type) && prefixes.length > 0)
    throw new ApiError(Code.InvalidArgument, `network "${network.id}" is a child: its prefixes come from its parent`);
  const lengths = defaultChildPrefixLength ?? minChildPrefixLength;
  if (!isSuper(network.type) && lengths !== undefined)
    throw new ApiError(Code.InvalidArgument, `network "${network.id}" has no children, so no lengths for them`);
}

/** A prefix goes only when nothing lies in it any more; `force` is no way to break what is in use. */
async function checkNothingLost(stores: Stores, network: apiV2.Network, prefixes: readonly IpPrefix[]): Promise<void> {
  const namespaces = new Set(
    (await stores.networks.list({ parent: network.id })).map(({ value }) => value.namespace ?? ''),
  );
  for (const namespace of namespaces)
    for (const child of await childPrefixes(stores, network.id, namespace))
      if (!within(prefixes, child))
        throw new ApiError(
          Code.FailedPrecondition,
          `network "${network.id}": a child has ${formatIpPrefix(child)}, so its prefix has to stay; delete the child first`,
        );
  for (const { value } of await stores.ips.list({ network: network.id })) {
    const address = parseIpAddress(value.ip);
    if (address.ok && !prefixes.some((one) => ipRangeContains(one, address.value)))
      throw new ApiError(
        Code.FailedPrecondition,
        `network "${network.id}": ${value.ip} is in use, so its prefix has to stay; delete the address first`,
      );
  }
}

async function deleteNetwork(stores: Stores, id: string): Promise<apiV2.Network> {
  const found = await stores.networks.need(id);
  const children = await stores.networks.list({ parent: id });
  const addresses = await stores.ips.count({ network: id });
  const machines = (await stores.machines.list()).filter(({ value }) =>
    value.allocation?.networks.some(({ network }) => network === id),
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
  const view = await networkView(stores, found);
  await stores.session.run('DELETE FROM network_prefix WHERE network = ?', id);
  await stores.numbers.release(Pool.Vrf, id);
  await stores.networks.delete(id);
  return view;
}

async function listed(
  stores: Stores,
  query: apiV2.NetworkQuery | undefined,
  isVisible: (network: apiV2.Network) => boolean,
): Promise<apiV2.Network[]> {
  const { project, partition, parentNetwork } = query ?? create(apiV2.NetworkQuerySchema);
  const found = await stores.networks.list({
    ...(project === undefined ? {} : { project }),
    ...(partition === undefined ? {} : { partition }),
    ...(parentNetwork === undefined ? {} : { parent: parentNetwork }),
  });
  const views: apiV2.Network[] = [];
  for (const one of found)
    if (isVisible(one.value) && matches(one.value, query)) views.push(await networkView(stores, one));
  return views;
}

function matches(network: apiV2.Network, query: apiV2.NetworkQuery | undefined): boolean {
  if (query === undefined) return true;
  const is = <T>(wanted: T | undefined, actual: T | undefined): boolean => wanted === undefined || wanted === actual;
  const all = (wanted: readonly string[], actual: readonly string[]): boolean =>
    wanted.every((text) => actual.includes(canonical(text)));
  return (
    is(query.id, network.id) &&
    is(query.name, network.name) &&
    is(query.description, network.description) &&
    is(query.namespace, network.namespace) &&
    is(query.vrf, network.vrf) &&
    is(query.type, network.type) &&
    is(query.natType, network.natType) &&
    all(query.prefixes, network.prefixes) &&
    all(query.destinationPrefixes, network.destinationPrefixes) &&
    hasFamilies(network, query.addressFamily) &&
    hasLabels(network, query.labels)
  );
}

function hasFamilies({ prefixes }: apiV2.Network, wanted: apiV2.NetworkAddressFamily | undefined): boolean {
  const families = new Set(prefixes.map((text) => storedPrefix(text).family));
  switch (wanted) {
    case apiV2.NetworkAddressFamily.V4:
      return families.has('ipv4') && !families.has('ipv6');
    case apiV2.NetworkAddressFamily.V6:
      return families.has('ipv6') && !families.has('ipv4');
    case apiV2.NetworkAddressFamily.DUAL_STACK:
      return families.size === 2;
    default:
      return true;
  }
}

function canonical(text: string): string {
  const prefix = parseInterfaceAddress(text);
  return prefix.ok ? formatIpPrefix(prefix.value) : text;
}
