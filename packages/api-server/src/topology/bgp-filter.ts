import { apiV2, create } from '@ingot/api';
import {
  compactIpPrefixes,
  formatIpPrefix,
  IP_BITS,
  ipPrefixAt,
  parseInterfaceAddress,
  parseIpAddress,
  type IpPrefix,
} from '@ingot/wire';
import { firewallsOf } from '../allocation/candidates.ts';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';

const { NetworkType: Type, MachineAllocationType } = apiV2;

/**
 * What a leaf lets the machine on a port announce. A firewall: its underlay addresses, and the VNIs of its other networks.
 * A machine: the prefixes of its project's network, what the network's parent lets children announce besides, and the
 * project's addresses elsewhere, but none in an underlay and none that a firewall has. Prefixes are the fewest that cover
 * the same addresses, sorted.
 */
export async function bgpFilterOf(stores: Stores, allocation: apiV2.MachineAllocation): Promise<apiV2.BGPFilter> {
  return allocation.allocationType === MachineAllocationType.FIREWALL
    ? firewallFilter(allocation)
    : machineFilter(stores, allocation);
}

function firewallFilter({ networks }: apiV2.MachineAllocation): apiV2.BGPFilter {
  const underlay = networks.filter((network) => network.networkType === Type.UNDERLAY);
  const others = networks.filter((network) => network.networkType !== Type.UNDERLAY && network.vrf > 0n);
  const vnis = [...new Set(others.map(({ vrf }) => vrf))].toSorted((a, b) => (a < b ? -1 : 1));
  return create(apiV2.BGPFilterSchema, {
    cidrs: cidrs(underlay.flatMap(({ ips }) => ips).flatMap(hostPrefix)),
    vnis: vnis.map(String),
  });
}

async function machineFilter(stores: Stores, allocation: apiV2.MachineAllocation): Promise<apiV2.BGPFilter> {
  const own = allocation.networks.find((network) => network.project === allocation.project);
  const network = own === undefined ? undefined : (await stores.networks.get(own.network))?.value;
  const parent =
    network?.parentNetwork === undefined ? undefined : (await stores.networks.get(network.parentNetwork))?.value;
  const prefixes = [...(own?.prefixes ?? []), ...(parent?.additionalAnnouncableCidrs ?? [])].flatMap((cidr) => {
    const prefix = parseInterfaceAddress(cidr);
    return prefix.ok ? [prefix.value] : [];
  });
  const firewalls = new Set(
    (await firewallsOf(stores, allocation.project)).flatMap(({ networks }) => networks.flatMap(({ ips }) => ips)),
  );
  const rows = await stores.session.all(
    `SELECT address FROM ip WHERE project = ? AND namespace = ?
     AND network NOT IN (SELECT id FROM network WHERE type = ?)`,
    allocation.project,
    network?.namespace ?? '',
    Type.UNDERLAY,
  );
  const addresses = rows
    .map((row) => text(row, 'address'))
    .filter((address) => !firewalls.has(address))
    .flatMap(hostPrefix);
  return create(apiV2.BGPFilterSchema, { cidrs: cidrs([...prefixes, ...addresses]) });
}

function hostPrefix(address: string): IpPrefix[] {
  const parsed = parseIpAddress(address);
  return parsed.ok ? [ipPrefixAt(parsed.value, IP_BITS[parsed.value.family])] : [];
}

function cidrs(prefixes: readonly IpPrefix[]): string[] {
  return compactIpPrefixes(prefixes).map(formatIpPrefix);
}
