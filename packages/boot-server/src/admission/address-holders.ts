import { macOfEui64, parseIpv6 } from '@ingot/wire';
import type { LeaseEngine } from '../dhcp/lease-engine.ts';
import type { Lease6Engine } from '../dhcpv6/lease-engine.ts';
import { formatIpv4, numberOfIpv4 } from '../ipv4.ts';

export interface AddressHolder {
  readonly mac: string | undefined;
  readonly uuid: string | undefined;
}

/** Whose an address is, IPv4 or IPv6, as far as this server leased it. */
export interface AddressHolders {
  /** Who holds, or last held, this address. */
  holderOf(address: string): AddressHolder | undefined;
  /** What this NIC has of the family of `address`; none where this server leased it nothing. */
  addressesOf(mac: string, address: string): readonly string[];
}

export function addressHolders(leases: LeaseEngine, leases6: Lease6Engine | undefined): AddressHolders {
  return {
    holderOf: (address) => {
      const ipv4 = numberOfIpv4(address);
      if (ipv4 !== undefined) return leases.holderOf(ipv4);
      const ipv6 = parseIpv6(address);
      return ipv6.ok ? leases6?.holderOf(ipv6.value) : undefined;
    },
    addressesOf: (mac, address) => {
      if (numberOfIpv4(address) !== undefined) return leases.leasesOf(mac).map((lease) => formatIpv4(lease.address));
      const leased = (leases6?.leasesOf(mac) ?? []).map((lease) => String(lease.address));
      const asked = parseIpv6(address);
      // Where routers announce a prefix for it, a machine makes itself an address of its MAC besides, and may use that.
      const isOwn = asked.ok && macOfEui64(asked.value) === mac;
      return isOwn && leased.length > 0 ? [...leased, address] : leased;
    },
  };
}
