import { IPV4_ANY, ipv4ToNumber, type Ipv4 } from '@ingot/wire';
import { networkContains, type Ipv4Network } from '../ipv4.ts';
import type { DhcpRequest } from './request.ts';
import { findSubnet, type Subnet } from './subnets.ts';

export interface ServedNetworks {
  readonly subnets: readonly Subnet[];
  /** Networks of relays whose giaddr is in none of the subnets (link selection). */
  readonly relays: readonly Ipv4Network[];
}

/**
 * The network that the client is in. A reply goes to giaddr, so that must be an address that somebody configured: a
 * forged one would turn the server on its owner.
 */
export function chooseSubnet(
  request: DhcpRequest,
  receivedAt: Ipv4,
  { subnets, relays }: ServedNetworks,
): Subnet | 'unknown-relay' | 'unknown-network' {
  const { giaddr, ciaddr } = request.packet;
  if (giaddr !== IPV4_ANY) {
    const relay = ipv4ToNumber(giaddr);
    const own = findSubnet(subnets, relay);
    if (own === undefined && !relays.some((network) => networkContains(network, relay))) return 'unknown-relay';
    if (request.linkSelection === undefined) return own ?? 'unknown-network';
    return findSubnet(subnets, ipv4ToNumber(request.linkSelection)) ?? 'unknown-network';
  }
  // A renewal comes by unicast through the routers, from any network.
  const from = ciaddr === IPV4_ANY ? receivedAt : ciaddr;
  return findSubnet(subnets, ipv4ToNumber(from)) ?? 'unknown-network';
}
