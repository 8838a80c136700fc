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
 * What a leaf lets the machines on its ports announce, for one answer: what many machines of a tenant have in common is
 * found out once. A firewall: its underlay addresses, and the VNIs of its other networks.
 * A machine: the prefixes of its project's network, what the network's parent lets children announce besides, and the
 * project's addresses elsewhere, but none in an underlay and none that a firewall has. Prefixes are the fewest that cover
 * the same addresses, sorted.
 */
export function bgpFilters(stores: Stores): (allocation: apiV2.MachineAllocation) => Promise<apiV2.BGPFilter> {
  const found = new Map<string, Promise<apiV2.BGPFilter>>();
  return async (allocation) => {
    if (allocation.allocationType === MachineAllocationType.FIREWALL) return firewallFilter(allocation);
    const own = ownNetwork(allocation);
    const key = JSON.stringify([allocation.project, own?.network, own?.prefixes]);
    const filter = found.get(key) ?? machineFilter(stores, allocation);
    found.set(key, filter);
    return filter;
  };
}

function ownNetwork({ networks, project }: apiV2.MachineAllocation): apiV2.MachineNetwork | undefined {
  return networks.find((network) => network.project === project);
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
  const own = ownNetwork(allocation);
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
