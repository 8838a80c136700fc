import { ApiError, Code, type adminV2, type apiV2 } from '@ingot/api';
import { formatIpPrefix, ipRangeContains, ipRangesOverlap, parseIpAddress, type IpPrefix } from '@ingot/wire';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { isChild, isSuper } from '../network/kinds.ts';
import { addPrefixes, checkFree, childPrefixes, parseAll, within } from '../network/network-prefixes.ts';
import { checkChildLengths } from '../network/network-wish.ts';
import { updateEntity, updateLabels } from './update-entity.ts';

/**
 * Changes a network within a transaction serialised by `IPAM`. Prefixes that are in use stay. Throws `NotFound`,
 * `InvalidArgument`, `FailedPrecondition`, each with what to do.
 */
export async function updateNetwork(
  stores: Stores,
  request: adminV2.NetworkServiceUpdateRequest,
): Promise<Stored<apiV2.Network>> {
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
  return changed;
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
