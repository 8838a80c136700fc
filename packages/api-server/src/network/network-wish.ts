import { ApiError, apiV2, Code, create, type MessageInitShape } from '@ingot/api';
import { IP_BITS, type IpPrefix } from '@ingot/wire';
import { Pool } from '../store/number-pools.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { addPrefixes } from './network-prefixes.ts';

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

/** Lengths for children that are given, by the names of their fields. */
export const childLengths = (wish: NetworkWish): [string, apiV2.ChildPrefixLength][] => [
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

/** Stores a network with its prefixes. */
export async function store(stores: Stores, network: apiV2.Network, namespace: string): Promise<Stored<apiV2.Network>> {
  const created = await stores.networks.create(network.id, network);
  await addPrefixes(stores, network.id, namespace, network.prefixes);
  return created;
}

/** What every kind of network takes over. */
export function common(
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

/** The VRF that is wanted, or a free one. */
export async function takeVrf(stores: Stores, id: string, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return stores.numbers.take(Pool.Vrf, id);
  await stores.numbers.takeThis(Pool.Vrf, wanted, id);
  return wanted;
}

export function refused(words: string): ApiError {
  return new ApiError(Code.InvalidArgument, words);
}
