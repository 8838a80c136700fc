import { apiV2, create } from '@ingot/api';
import type { IpFamily, IpPrefix } from '@ingot/wire';
import { number } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import { isSuper } from './kinds.ts';
import { childPrefixes, stored } from './network-prefixes.ts';
import { hostRange } from './free-space.ts';

/** What fits into the contract's unsigned 64 bits. */
const MOST = 2n ** 64n - 1n;

/**
 * How much of a network is used: of the addresses that hosts may have, or, for a super network, of the prefixes of its
 * children's default length. Children of a namespaced super network are counted in all namespaces.
 */
export async function consumptionOf(stores: Stores, network: apiV2.Network): Promise<apiV2.NetworkConsumption> {
  const prefixes = network.prefixes.map(stored);
  const usage = async (family: IpFamily): Promise<apiV2.NetworkUsage | undefined> => {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) return undefined;
    if (isSuper(network.type)) return childUsage(stores, network, own, family);
    const hosts = own.map(hostRange).reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
    const used = BigInt(await addressesIn(stores, network.id, family));
    return create(apiV2.NetworkUsageSchema, { availableIps: least(hosts, MOST), usedIps: used });
  };
  const [ipv4, ipv6] = [await usage('ipv4'), await usage('ipv6')];
  return create(apiV2.NetworkConsumptionSchema, {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
  });
}

async function childUsage(
  stores: Stores,
  network: apiV2.Network,
  own: readonly IpPrefix[],
  family: IpFamily,
): Promise<apiV2.NetworkUsage> {
  const length = network.defaultChildPrefixLength?.[family];
  const fits = own.reduce(
    (sum, prefix) => sum + (length === undefined || length < prefix.length ? 0n : 1n << BigInt(length - prefix.length)),
    0n,
  );
  const children = (await stores.networks.list({ parent: network.id })).map(({ value }) => value.namespace ?? '');
  let used = 0n;
  for (const namespace of new Set(children))
    used += BigInt((await childPrefixes(stores, network.id, namespace)).filter((one) => one.family === family).length);
  return create(apiV2.NetworkUsageSchema, { availablePrefixes: least(fits, MOST), usedPrefixes: used });
}

async function addressesIn(stores: Stores, network: string, family: IpFamily): Promise<number> {
  const row = await stores.session.get(
    `SELECT count(*) AS found FROM ip WHERE network = ? AND address ${family === 'ipv4' ? 'NOT LIKE' : 'LIKE'} '%:%'`,
    network,
  );
  return row === undefined ? 0 : number(row, 'found');
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
