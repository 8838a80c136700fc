import { apiV2 } from '@ingot/api';
import { parseInterfaceAddress, formatIpPrefix } from '@ingot/wire';
import { stored as storedPrefix } from '../network/network-prefixes.ts';
import { hasLabels } from './update-entity.ts';

/** Whether a network is selected: every field that is set must fit. */
export function networkMatches(network: apiV2.Network, query: apiV2.NetworkQuery | undefined): boolean {
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
