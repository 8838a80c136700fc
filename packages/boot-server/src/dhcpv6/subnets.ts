import { ipv6ToBigInt, subnet6Contains, type Ipv6, type Ipv6Subnet } from '@ingot/wire';
import type { Pool6 } from './pool.ts';

/** An IPv6 network that the server answers for. */
export interface Subnet6 {
  /** As configured, `2001:db8:1::/64`. */
  readonly id: string;
  readonly network: Ipv6Subnet;
  /**
   * `server` leases addresses; `stateless` tells name servers and what to boot to clients that have addresses;
   * `boot-only` tells what to boot beside another server.
   */
  readonly mode: 'server' | 'stateless' | 'boot-only';
  /** Own interface on it. */
  readonly interfaceName: string | undefined;
  readonly pool: Pool6 | undefined;
  /** DUID in hex with colons, or MAC → address. */
  readonly reservations: ReadonlyMap<string, Ipv6>;
  readonly dnsServers: readonly Ipv6[];
  readonly domains: readonly string[];
  readonly ntpServers: readonly Ipv6[];
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  /** T1. */
  readonly renewSeconds: number;
  /** T2. */
  readonly rebindSeconds: number;
  readonly rapidCommit: boolean;
}

/** The network of `address`: the longest prefix wins. */
export function findSubnet6(subnets: readonly Subnet6[], address: Ipv6): Subnet6 | undefined {
  let best: Subnet6 | undefined;
  for (const subnet of subnets) {
    if (!subnet6Contains(subnet.network, address)) continue;
    if (best === undefined || subnet.network.prefixLength > best.network.prefixLength) best = subnet;
  }
  return best;
}

export function poolContains({ pool }: Subnet6, address: Ipv6): boolean {
  if (pool === undefined) return false;
  const number = ipv6ToBigInt(address);
  return number >= pool.first && number <= pool.last;
}
