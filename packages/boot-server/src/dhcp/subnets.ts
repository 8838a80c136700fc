import { networkContains, type Ipv4Network } from '../ipv4.ts';

/** A network that the server answers for. Addresses are unsigned 32-bit numbers. */
export interface Subnet {
  /** As configured, `10.0.1.0/24`. */
  readonly id: string;
  readonly network: Ipv4Network;
  /** `server` leases addresses; `proxy` adds the boot part to what another DHCP server leases. */
  readonly mode: 'server' | 'proxy';
  /** Inclusive; undefined when only reservations are given out. */
  readonly pool: { readonly first: number; readonly last: number } | undefined;
  /** mac (lower case, colons) → address. */
  readonly reservations: ReadonlyMap<string, number>;
  readonly routers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  readonly domainName: string | undefined;
  readonly leaseSeconds: number;
}

/** The network of `address`: the longest prefix wins. */
export function findSubnet(subnets: readonly Subnet[], address: number): Subnet | undefined {
  let best: Subnet | undefined;
  for (const subnet of subnets) {
    if (networkContains(subnet.network, address) && (best === undefined || subnet.network.prefix > best.network.prefix))
      best = subnet;
  }
  return best;
}
