import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** How many bytes an IP packet from `local` to `peer` may have; both are literal addresses. */
export type PathMtu = (local: string, peer: string) => number;

const ETHERNET_MTU = 1_500;
/** RFC 8200 §5, RFC 791 §3.1: no link carries less. */
const LEAST_IPV6_MTU = 1_280;
const LEAST_IPV4_MTU = 576;
/** 20 or 40 of IP, 8 of UDP, 4 of TFTP. */
const IPV4_OVERHEAD = 32;
const IPV6_OVERHEAD = 52;
/** RFC 2348. */
const MAX_BLKSIZE = 65_464;

/** The largest block that goes to `peer` in one piece: firmware, as a rule, cannot join fragments. */
export function pathBlksize(pathMtu: PathMtu, local: string, peer: string): number {
  const mtu = pathMtu(local, peer);
  const blksize = isIPv6(local)
    ? Math.max(mtu, LEAST_IPV6_MTU) - IPV6_OVERHEAD
    : Math.max(mtu, LEAST_IPV4_MTU) - IPV4_OVERHEAD;
  return Math.min(blksize, MAX_BLKSIZE);
}

/** For networks in memory. */
export const ethernetMtu: PathMtu = () => ETHERNET_MTU;

/** The MTU of the interface that has the address, or is named in it; Ethernet's where that cannot be told. */
export const interfaceMtu: PathMtu = (local) => {
  const [, zone] = local.split('%');
  if (zone !== undefined) return mtuOf(zone);
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ address }) => address === local) !== true) continue;
    return mtuOf(name);
  }
  return ETHERNET_MTU;
};

function mtuOf(name: string): number {
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'latin1'));
    return Number.isInteger(mtu) && mtu > 0 ? mtu : ETHERNET_MTU;
  } catch {
    return ETHERNET_MTU;
  }
}
