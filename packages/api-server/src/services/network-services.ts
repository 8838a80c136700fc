import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { createNetwork } from '../network/create-network.ts';
import { deleteNetwork } from '../network/delete-network.ts';
import { IPAM } from '../network/kinds.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { networkView } from '../views/network-view.ts';
import type { ServiceDependencies } from './context.ts';
import { networkMatches } from './network-query.ts';
import { once } from './once.ts';
import { updateEntity, updateLabels } from './update-entity.ts';
import { updateNetwork } from './update-network.ts';

const { NetworkType: Type } = apiV2;

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
        return { network: await removed(inner, id) };
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
    update: (request) =>
      stores.transaction(
        async (inner) => ({ network: await networkView(inner, await updateNetwork(inner, request)) }),
        IPAM,
      ),
    delete: ({ id }) => stores.transaction(async (inner) => ({ network: await removed(inner, id) }), IPAM),
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

/** A network as it was before it was deleted. */
async function removed(stores: Stores, id: string): Promise<apiV2.Network> {
  const view = await networkView(stores, await stores.networks.need(id));
  await deleteNetwork(stores, id);
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
    if (isVisible(one.value) && networkMatches(one.value, query)) views.push(await networkView(stores, one));
  return views;
}
