import { IPV6_ANY, isLinkLocal, parseIpv6, subnet6Contains } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { Dhcp6Arrival } from './outcome.ts';
import type { Dhcp6Plan } from './plan.ts';
import type { Dhcp6Request } from './request.ts';
import { findSubnet6, type Subnet6 } from './subnets.ts';

/** The network that the client is in: by the nearest relay that tells (RFC 8415 §13.1), else by the own interface. */
export function chooseSubnet(
  { relays }: Dhcp6Request,
  source: Endpoint,
  arrival: Exclude<Dhcp6Arrival, { readonly kind: 'boot-service' }>,
  { subnets, relays: known }: Dhcp6Plan,
): Subnet6 | 'unknown-relay' | 'unknown-network' {
  if (relays.length > 0 && known.length > 0 && !isRelay(known, source)) return 'unknown-relay';
  const link = relays.findLast(({ linkAddress }) => linkAddress !== IPV6_ANY && !isLinkLocal(linkAddress))?.linkAddress;
  if (link !== undefined) return findSubnet6(subnets, link) ?? 'unknown-network';
  if (arrival.kind === 'unicast') return 'unknown-network';
  return subnets.find(({ interfaceName }) => interfaceName === arrival.interfaceName) ?? 'unknown-network';
}

/** A relay on an own link may use its link-local address; it was chosen by its interface. */
function isRelay(known: Dhcp6Plan['relays'], source: Endpoint): boolean {
  const address = parseIpv6(source.address.replace(/%.*$/, ''));
  if (!address.ok) return false;
  return isLinkLocal(address.value) || known.some((network) => subnet6Contains(network, address.value));
}
