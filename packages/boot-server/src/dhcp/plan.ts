import { ipv4ToNumber, type Ipv4 } from '@ingot/wire';
import type { BootServerConfig } from '../config.ts';
import { configInvalid } from '../errors.ts';
import { broadcastOf, formatIpv4, networkContains, type Ipv4Network } from '../ipv4.ts';
import { address, network, number } from './plan-fields.ts';
import { planSubnet } from './plan-subnet.ts';
import type { DhcpListen } from './server.ts';
import { findSubnet, type Subnet } from './subnets.ts';

/** The DHCP part of the configuration, checked as a whole. */
export interface DhcpPlan {
  readonly listen: DhcpListen;
  readonly subnets: readonly Subnet[];
  readonly relays: readonly Ipv4Network[];
  readonly serverAddress: Ipv4;
}

/** Throws BootServerError CONFIG_INVALID: what fits each field and not the others, in words. */
export function planDhcp(config: Pick<BootServerConfig, 'advertiseAddress' | 'dhcp'>): DhcpPlan {
  const { dhcp } = config;
  const { interfaces = [] } = dhcp;
  if (dhcp.listen.length === 0 && interfaces.length === 0)
    throw configInvalid('dhcp: name addresses in listen, or interfaces: else nobody is heard');
  const addresses = dhcp.listen.map((text) => address(text, 'dhcp.listen'));
  const taken = new Map(
    [...dhcp.listen, config.advertiseAddress].map((text) => [number(text, 'dhcp.listen'), 'an address of this server']),
  );
  const subnets = dhcp.subnets.map((each, index) =>
    planSubnet(each, `dhcp.subnets[${index}]`, {
      mode: each.mode ?? dhcp.mode,
      serverAddress: address(
        each.advertiseAddress ?? config.advertiseAddress,
        `dhcp.subnets[${index}].advertiseAddress`,
      ),
      taken,
    }),
  );
  const ids = subnets.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw configInvalid(`dhcp.subnets: ${twice} stands there twice: join the two`);
  for (const [index, subnet] of subnets.entries()) checkOverlap(subnet, subnets, `dhcp.subnets[${index}]`);
  const leasing = subnets.find(({ mode }) => mode !== 'proxy');
  if (dhcp.capture === true && leasing !== undefined)
    throw configInvalid(`dhcp.capture: it goes with mode: proxy only, and ${leasing.id} has mode ${leasing.mode}`);
  const local = addresses.filter((own) => findSubnet(subnets, number(own, 'dhcp.listen')) !== undefined);
  if (local.length > 1) {
    throw configInvalid(
      `dhcp.listen: ${local.join(' and ')} are in networks that are served, and a broadcast does not tell on which of them it came: serve one of the networks through a relay, or run a second boot server`,
    );
  }
  return {
    listen: { addresses, interfaces, localAddress: local[0], shared: subnets.some(({ mode }) => mode !== 'server') },
    subnets,
    relays: dhcp.relays.map((text) => network(text, 'dhcp.relays')),
    serverAddress: address(config.advertiseAddress, 'advertiseAddress'),
  };
}

/** The own address under which a client at `address` reaches the server. */
export function serverAddressFor(plan: Pick<DhcpPlan, 'subnets' | 'serverAddress'>, client: Ipv4): Ipv4 {
  return findSubnet(plan.subnets, ipv4ToNumber(client))?.serverAddress ?? plan.serverAddress;
}

/** Within networks that contain each other an address is of the smallest: what another leases there it could not renew. */
function checkOverlap({ id, network: own, pool, reservations }: Subnet, all: readonly Subnet[], where: string): void {
  for (const { id: inner, network: part } of all) {
    if (inner === id || part.prefix < own.prefix || !networkContains(own, part.network)) continue;
    const isIn = (value: number): boolean => networkContains(part, value);
    const last = broadcastOf(part);
    if (pool !== undefined && pool.first <= last && pool.last >= part.network)
      throw configInvalid(`${where}.pool: part of it is in ${inner}, which stands there as well: keep the two apart`);
    const reserved = [...reservations.values()].find(isIn);
    if (reserved !== undefined)
      throw configInvalid(`${where}.reservations: ${formatIpv4(reserved)} is in ${inner}: write it there`);
  }
}
