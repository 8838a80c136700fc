import { ApiError, Code } from '@ingot/api';
import { formatIpPrefix, ipRangeCovers, ipRangesOverlap, parseIpPrefix, type IpPrefix } from '@ingot/wire';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';

/** Prefixes as a request writes them; what is wrong is added to `problems`. */
export function parseAll(field: string, texts: readonly string[], problems: string[]): IpPrefix[] {
  return texts.flatMap((written, index) => {
    const prefix = parseIpPrefix(written);
    if (prefix.ok) return [prefix.value];
    problems.push(`${field}[${index}]: ${prefix.reason}`);
    return [];
  });
}

export function checkDistinct(prefixes: readonly IpPrefix[], problems: string[]): void {
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

/** Notes the prefixes of a network. */
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
