import { ApiError, apiV2, Code, create } from '@ingot/api';
import { formatIpPrefix, type IpFamily, type IpPrefix } from '@ingot/wire';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { findFreePrefix } from './free-space.ts';
import { isSuper } from './kinds.ts';
import { childPrefixes, stored } from './network-prefixes.ts';
import { childLengths, common, refused, store, takeVrf, type NetworkWish } from './network-wish.ts';

const { NetworkType: Type, NATType, NetworkAddressFamily: Families } = apiV2;

/** Makes a network of a project out of free prefixes of its parent. See `createNetwork`. */
export async function createChild(stores: Stores, wish: NetworkWish): Promise<Stored<apiV2.Network>> {
  const { id, project } = wish;
  const brought = [
    ...(wish.prefixes.length === 0 ? [] : ['prefixes']),
    ...(wish.destinationPrefixes.length === 0 ? [] : ['destination_prefixes']),
    ...(wish.additionalAnnouncableCidrs.length === 0 ? [] : ['additional_announcable_cidrs']),
    ...(wish.natType === undefined || wish.natType === NATType.NAT_TYPE_NONE ? [] : ['nat_type']),
    ...childLengths(wish).map(([name]) => name),
  ];
  if (brought.length > 0)
    throw refused(`network "${id}": a child gets its prefixes from its parent; leave out ${brought.join(', ')}`);
  if (project === undefined) throw refused(`network "${id}": a child belongs to a project: give project`);
  const parent = await parentOf(stores, wish);
  if (wish.partition !== undefined && parent.partition !== undefined && wish.partition !== parent.partition)
    throw refused(
      `network "${id}": the parent "${parent.id}" is in partition "${parent.partition}", not in "${wish.partition}"`,
    );
  const namespace = parent.type === Type.SUPER_NAMESPACED ? project : '';
  const parents = parent.prefixes.map(stored);
  const prefixes: IpPrefix[] = [];
  for (const family of familiesOf(wish, parent, parents)) {
    const length = lengthOf(wish, parent, family);
    const used = await childPrefixes(stores, parent.id, namespace);
    const found = findFreePrefix(parents, [...used, ...prefixes], family, length);
    if (found === undefined)
      throw new ApiError(
        Code.ResourceExhausted,
        `no /${length} is free in ${parents.map(formatIpPrefix).join(', ')} of network "${parent.id}": ask for a longer ` +
          'prefix, delete networks that are not used, or add a prefix to the parent',
      );
    prefixes.push(found);
  }
  const vrf = parent.vrf ?? (await takeVrf(stores, id, wish.vrf));
  const partition = wish.partition ?? parent.partition;
  const network = create(apiV2.NetworkSchema, {
    ...common(wish),
    ...(partition === undefined ? {} : { partition }),
    ...(namespace === '' ? {} : { namespace }),
    parentNetwork: parent.id,
    prefixes: prefixes.map(formatIpPrefix),
    destinationPrefixes: [],
    natType: NATType.NAT_TYPE_NONE,
    vrf,
  });
  return store(stores, network, namespace);
}

/** The network named, or the only super network that serves the partition. */
async function parentOf(stores: Stores, { id, parentNetwork, partition }: NetworkWish): Promise<apiV2.Network> {
  if (parentNetwork !== undefined) {
    const { value } = await stores.networks.need(parentNetwork);
    if (isSuper(value.type)) return value;
    throw refused(`network "${id}": the parent "${parentNetwork}" is no super network`);
  }
  if (partition === undefined) throw refused(`network "${id}": give parent_network or partition`);
  const supers = (await stores.networks.list({ partition }))
    .map(({ value }) => value)
    .filter(({ type }) => isSuper(type));
  const [only] = supers;
  if (only !== undefined && supers.length === 1) return only;
  throw new ApiError(
    Code.FailedPrecondition,
    supers.length === 0
      ? `partition "${partition}" has no super network: make one, or give parent_network`
      : `partition "${partition}" has several super networks (${supers.map((one) => one.id).join(', ')}): give parent_network`,
  );
}

function familiesOf(
  { id, addressFamily, length }: NetworkWish,
  parent: apiV2.Network,
  parents: readonly IpPrefix[],
): IpFamily[] {
  const has = new Set(parents.map(({ family }) => family));
  const asked: readonly IpFamily[] =
    addressFamily === Families.V4
      ? ['ipv4']
      : addressFamily === Families.V6
        ? ['ipv6']
        : addressFamily === Families.DUAL_STACK
          ? ['ipv4', 'ipv6']
          : (['ipv4', 'ipv6'] as const).filter(
              (family) => has.has(family) && (length === undefined || length[family] !== undefined),
            );
  const missing = asked.filter((family) => !has.has(family));
  if (missing.length > 0 || asked.length === 0)
    throw refused(
      `network "${id}": the parent "${parent.id}" has no prefix of ${(missing.length > 0 ? missing : ['the family of length']).join(', ')}`,
    );
  return [...asked];
}

function lengthOf({ id, length }: NetworkWish, parent: apiV2.Network, family: IpFamily): number {
  const wanted = length?.[family] ?? parent.defaultChildPrefixLength?.[family];
  if (wanted === undefined)
    throw refused(`network "${id}": give length.${family}: the parent "${parent.id}" has no default for it`);
  const least = parent.minChildPrefixLength?.[family];
  if (least !== undefined && wanted < least)
    throw refused(
      `network "${id}": length.${family} is ${wanted}; the parent "${parent.id}" gives out /${least} and longer`,
    );
  return wanted;
}
