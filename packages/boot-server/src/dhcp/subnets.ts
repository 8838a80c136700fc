import type { DhcpOption, Ipv4 } from '@ingot/wire';
import type { SubnetMode } from '../config/dhcp.ts';
import { networkContains, type Ipv4Network } from '../ipv4.ts';
import type { PlannedOption } from './subnet-options.ts';

/** A network that the server answers for. Addresses are unsigned 32-bit numbers. */
export interface Subnet {
  /** As configured, `10.0.1.0/24`. */
  readonly id: string;
  readonly network: Ipv4Network;
  /**
   * `server` leases addresses; `proxy` adds the boot part to what another DHCP server leases; `reservation-only` leases
   * to the NICs of `reservations` and leaves all others to another server.
   */
  readonly mode: SubnetMode;
  /** Inclusive; undefined when only reservations are given out. */
  readonly pool: { readonly first: number; readonly last: number } | undefined;
  /** mac (lower case, colons) → address. */
  readonly reservations: ReadonlyMap<string, number>;
  /** Names that reservations give, by MAC; lower case. */
  readonly hostNames: ReadonlyMap<string, string>;
  /** Option 54 and siaddr. */
  readonly serverAddress: Ipv4;
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  readonly leaseSeconds: number;
  /** Lease, renewal and rebinding time. */
  readonly timeOptions: readonly DhcpOption[];
  readonly options: readonly PlannedOption[];
  /** Of NICs whose reservation says something else, by mac. */
  readonly ownOptions: ReadonlyMap<string, readonly PlannedOption[]>;
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
