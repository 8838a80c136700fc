import { ApiError, apiV2, Code, create, enumText } from '@ingot/api';
import { formatIpPrefix } from '@ingot/wire';
import type { Stores } from '../store/stores.ts';
import type { Stored } from '../store/entity-table.ts';
import { createChild } from './create-child.ts';
import { isChild, isSuper } from './kinds.ts';
import { checkDistinct, checkFree, parseAll } from './network-prefixes.ts';
import { checkChildLengths, childLengths, common, refused, store, takeVrf, type NetworkWish } from './network-wish.ts';

const { NetworkType: Type, NATType } = apiV2;

/**
 * Makes a network within a transaction serialised by `IPAM`. Children get prefixes out of their parent and a VRF; all
 * others bring their prefixes, which must not overlap with those of any other network. Throws `InvalidArgument`,
 * `NotFound`, `FailedPrecondition`, `ResourceExhausted`, each with what to do.
 */
export async function createNetwork(stores: Stores, wish: NetworkWish): Promise<Stored<apiV2.Network>> {
  if (wish.type === Type.UNSPECIFIED) throw refused(`network "${wish.id}": type is missing`);
  if (wish.partition !== undefined) await stores.partitions.need(wish.partition);
  if (wish.project !== undefined) await stores.projects.need(wish.project);
  return isChild(wish.type) ? createChild(stores, wish) : createBase(stores, wish);
}

async function createBase(stores: Stores, wish: NetworkWish): Promise<Stored<apiV2.Network>> {
  const { id, type } = wish;
  const kind = enumText(apiV2.NetworkTypeSchema, type);
  const problems = [
    ...(wish.prefixes.length === 0 ? ['prefixes is empty'] : []),
    ...(wish.parentNetwork === undefined ? [] : [`a network of type ${kind} has no parent_network`]),
    ...(wish.length === undefined ? [] : ['length is for children: give prefixes']),
    ...(type === Type.UNDERLAY && wish.partition === undefined ? ['an underlay belongs to a partition'] : []),
    ...(type === Type.UNDERLAY && (wish.natType ?? NATType.NAT_TYPE_NONE) === NATType.NAT_TYPE_IPV4_MASQUERADE
      ? ['an underlay has no NAT']
      : []),
    ...(isSuper(type) && wish.project !== undefined
      ? [`a network of type ${kind} has no project: its children do`]
      : []),
    ...(isSuper(type) ? [] : childLengths(wish).map(([name]) => `${name} is for super networks`)),
  ];
  const prefixes = parseAll('prefixes', wish.prefixes, problems);
  parseAll('destination_prefixes', wish.destinationPrefixes, problems);
  parseAll('additional_announcable_cidrs', wish.additionalAnnouncableCidrs, problems);
  checkDistinct(prefixes, problems);
  if (isSuper(type)) checkChildLengths(wish, prefixes, problems);
  if (problems.length > 0) throw refused(`network "${id}": ${problems.join('; ')}`);
  await checkFree(stores, id, prefixes);
  if (type === Type.UNDERLAY) await checkOnlyUnderlay(stores, wish);

  // Children of a super network have VRFs of their own, unless the super network brings one for all.
  const wantsVrf = type === Type.EXTERNAL || wish.vrf !== undefined;
  const vrf = wantsVrf ? await takeVrf(stores, id, wish.vrf) : undefined;
  const network = create(apiV2.NetworkSchema, {
    ...common(wish),
    prefixes: prefixes.map(formatIpPrefix),
    destinationPrefixes: [...wish.destinationPrefixes],
    additionalAnnouncableCidrs: [...wish.additionalAnnouncableCidrs],
    natType: wish.natType ?? NATType.NAT_TYPE_NONE,
    ...(wish.defaultChildPrefixLength === undefined ? {} : { defaultChildPrefixLength: wish.defaultChildPrefixLength }),
    ...(wish.minChildPrefixLength === undefined ? {} : { minChildPrefixLength: wish.minChildPrefixLength }),
    ...(vrf === undefined ? {} : { vrf }),
  });
  return store(stores, network, '');
}

async function checkOnlyUnderlay(stores: Stores, { id, partition }: NetworkWish): Promise<void> {
  const [other] = await stores.networks.list({ type: Type.UNDERLAY, partition: partition ?? '' });
  if (other !== undefined)
    throw new ApiError(
      Code.FailedPrecondition,
      `network "${id}": partition "${partition ?? ''}" has the underlay "${other.id}" already, and has one only`,
    );
}
