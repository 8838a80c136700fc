import { ApiError, apiV2, Code, create, enumText, type MessageInitShape } from '@ingot/api';
import {
  formatIpPrefix,
  IP_BITS,
  ipRangeCovers,
  ipRangesOverlap,
  parseIpPrefix,
  type IpFamily,
  type IpPrefix,
} from '@ingot/wire';
import { Pool } from '../store/number-pools.ts';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import type { Stored } from '../store/entity-table.ts';
import { findFreePrefix } from './free-space.ts';

const { NetworkType: Type, NATType, NetworkAddressFamily: Families } = apiV2;

/** What a network is made of; the rest follows from its type and its parent. */
export interface NetworkWish {
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly partition?: string | undefined;
  readonly project?: string | undefined;
  readonly type: apiV2.NetworkType;
  readonly labels?: apiV2.Labels | undefined;
  readonly prefixes: readonly string[];
  readonly destinationPrefixes: readonly string[];
  readonly defaultChildPrefixLength?: apiV2.ChildPrefixLength | undefined;
  readonly minChildPrefixLength?: apiV2.ChildPrefixLength | undefined;
  readonly natType?: apiV2.NATType | undefined;
  readonly vrf?: number | undefined;
  readonly parentNetwork?: string | undefined;
  readonly additionalAnnouncableCidrs: readonly string[];
  readonly length?: apiV2.ChildPrefixLength | undefined;
  readonly addressFamily?: apiV2.NetworkAddressFamily | undefined;
}

/** Prefixes are handed out one after the other, on every replica. */
export const IPAM = { serialise: 'ipam' } as const;

export const isSuper = (type: apiV2.NetworkType): boolean => type === Type.SUPER || type === Type.SUPER_NAMESPACED;
export const isChild = (type: apiV2.NetworkType): boolean => type === Type.CHILD || type === Type.CHILD_SHARED;

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

async function createChild(stores: Stores, wish: NetworkWish): Promise<Stored<apiV2.Network>> {
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

async function store(stores: Stores, network: apiV2.Network, namespace: string): Promise<Stored<apiV2.Network>> {
  const created = await stores.networks.create(network.id, network);
  await addPrefixes(stores, network.id, namespace, network.prefixes);
  return created;
}

export async function addPrefixes(
  stores: Stores,
  network: string,
  namespace: string,
  prefixes: readonly string[],
): Promise<void> {
  for (const prefix of prefixes)
    await stores.session.run(
      'INSERT INTO network_prefix (namespace, prefix, network) VALUES (?, ?, ?)',
      namespace,
      prefix,
      network,
    );
}

function common(
  wish: NetworkWish,
): Exclude<MessageInitShape<typeof apiV2.NetworkSchema>, apiV2.Network> & { readonly id: string } {
  const { id, type, name, description, partition, project, labels } = wish;
  return {
    id,
    type,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(partition === undefined ? {} : { partition }),
    ...(project === undefined ? {} : { project }),
    ...(labels === undefined ? {} : { meta: create(apiV2.MetaSchema, { labels }) }),
  };
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

const childLengths = (wish: NetworkWish): [string, apiV2.ChildPrefixLength][] => [
  ...(wish.defaultChildPrefixLength === undefined
    ? []
    : [['default_child_prefix_length', wish.defaultChildPrefixLength] satisfies [string, apiV2.ChildPrefixLength]]),
  ...(wish.minChildPrefixLength === undefined
    ? []
    : [['min_child_prefix_length', wish.minChildPrefixLength] satisfies [string, apiV2.ChildPrefixLength]]),
];

/** Every family of a super network needs a default that fits into its prefixes and is no shorter than the least. */
export function checkChildLengths(
  wish: Pick<NetworkWish, 'defaultChildPrefixLength' | 'minChildPrefixLength'>,
  prefixes: readonly IpPrefix[],
  problems: string[],
): void {
  for (const family of new Set(prefixes.map((prefix) => prefix.family))) {
    const standard = wish.defaultChildPrefixLength?.[family];
    const least = wish.minChildPrefixLength?.[family];
    const own = Math.min(...prefixes.filter((prefix) => prefix.family === family).map(({ length }) => length));
    if (standard === undefined) problems.push(`default_child_prefix_length.${family} is missing`);
    for (const [name, value] of [
      ['default', standard],
      ['min', least],
    ] as const)
      if (value !== undefined && (value < own || value > IP_BITS[family]))
        problems.push(`${name}_child_prefix_length.${family} is ${value}: no /${value} fits into a /${own}`);
    if (standard !== undefined && least !== undefined && standard < least)
      problems.push(`default_child_prefix_length.${family} (${standard}) is shorter than the least (${least})`);
  }
}

export function parseAll(field: string, texts: readonly string[], problems: string[]): IpPrefix[] {
  return texts.flatMap((written, index) => {
    const prefix = parseIpPrefix(written);
    if (prefix.ok) return [prefix.value];
    problems.push(`${field}[${index}]: ${prefix.reason}`);
    return [];
  });
}

function checkDistinct(prefixes: readonly IpPrefix[], problems: string[]): void {
  for (const [index, prefix] of prefixes.entries())
    for (const other of prefixes.slice(index + 1))
      if (ipRangesOverlap(prefix, other))
        problems.push(`prefixes ${formatIpPrefix(prefix)} and ${formatIpPrefix(other)} overlap`);
}

/** Prefixes of networks that are nobody's child must be apart; children lie within their parents. */
export async function checkFree(stores: Stores, id: string, prefixes: readonly IpPrefix[]): Promise<void> {
  const others = (await stores.networks.list({ parent: '' })).filter((other) => other.id !== id);
  for (const { value } of others)
    for (const theirs of value.prefixes.map(stored))
      for (const mine of prefixes)
        if (ipRangesOverlap(mine, theirs))
          throw new ApiError(
            Code.FailedPrecondition,
            `network "${id}": ${formatIpPrefix(mine)} overlaps with ${formatIpPrefix(theirs)} of network "${value.id}"`,
          );
}

async function checkOnlyUnderlay(stores: Stores, { id, partition }: NetworkWish): Promise<void> {
  const [other] = await stores.networks.list({ type: Type.UNDERLAY, partition: partition ?? '' });
  if (other !== undefined)
    throw new ApiError(
      Code.FailedPrecondition,
      `network "${id}": partition "${partition ?? ''}" has the underlay "${other.id}" already, and has one only`,
    );
}

/** What the children of a network have in a namespace. */
export async function childPrefixes(stores: Stores, parent: string, namespace: string): Promise<IpPrefix[]> {
  const rows = await stores.session.all(
    `SELECT network_prefix.prefix FROM network_prefix JOIN network ON network.id = network_prefix.network
     WHERE network.parent = ? AND network_prefix.namespace = ?`,
    parent,
    namespace,
  );
  return rows.map((row) => stored(text(row, 'prefix')));
}

/** A prefix of our own database. */
export function stored(written: string): IpPrefix {
  const prefix = parseIpPrefix(written);
  if (!prefix.ok) throw new TypeError(`the database: ${prefix.reason}`);
  return prefix.value;
}

export function within(outer: readonly IpPrefix[], inner: IpPrefix): boolean {
  return outer.some((one) => ipRangeCovers(one, inner));
}

async function takeVrf(stores: Stores, id: string, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return stores.numbers.take(Pool.Vrf, id);
  await stores.numbers.takeThis(Pool.Vrf, wanted, id);
  return wanted;
}

function refused(words: string): ApiError {
  return new ApiError(Code.InvalidArgument, words);
}
