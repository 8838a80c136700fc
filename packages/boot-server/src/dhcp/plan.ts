import { ipv4ToNumber, OptionCode, parseIpv4, textOption, uint32Option, type Ipv4 } from '@ingot/wire';
import type { BootServerConfig } from '../config.ts';
import type { SubnetConfig, SubnetMode } from '../config/dhcp.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { broadcastOf, formatIpv4, networkContains, numberOfIpv4, parseNetwork, type Ipv4Network } from '../ipv4.ts';
import { parsePool } from './pool.ts';
import type { DhcpListen } from './server.ts';
import { overrideOptions, planOptions, planOwnOptions, type PlannedOption } from './subnet-options.ts';
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
    throw invalid('dhcp: name addresses in listen, or interfaces: else nobody is heard');
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
  if (twice !== undefined) throw invalid(`dhcp.subnets: ${twice} stands there twice: join the two`);
  for (const [index, subnet] of subnets.entries()) checkOverlap(subnet, subnets, `dhcp.subnets[${index}]`);
  const leasing = subnets.find(({ mode }) => mode !== 'proxy');
  if (dhcp.capture === true && leasing !== undefined)
    throw invalid(`dhcp.capture: it goes with mode: proxy only, and ${leasing.id} has mode ${leasing.mode}`);
  const local = addresses.filter((own) => findSubnet(subnets, number(own, 'dhcp.listen')) !== undefined);
  if (local.length > 1) {
    throw invalid(
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
      throw invalid(`${where}.pool: part of it is in ${inner}, which stands there as well: keep the two apart`);
    const reserved = [...reservations.values()].find(isIn);
    if (reserved !== undefined)
      throw invalid(`${where}.reservations: ${formatIpv4(reserved)} is in ${inner}: write it there`);
  }
}

function planSubnet(
  config: SubnetConfig,
  where: string,
  common: { mode: SubnetMode; serverAddress: Ipv4; taken: ReadonlyMap<number, string> },
): Subnet {
  const { mode, serverAddress, taken } = common;
  const own = network(config.subnet, `${where}.subnet`);
  const within = (value: number, field: string): void => {
    if (!networkContains(own, value))
      throw invalid(`${where}.${field}: ${formatIpv4(value)} is not in ${config.subnet}`);
  };
  const pool = config.pool === undefined ? undefined : parsePool(config.pool);
  if (mode === 'proxy' && (pool !== undefined || config.reservations.length > 0)) {
    throw invalid(
      `${where}: in mode proxy another server leases the addresses: take out pool and reservations, or set mode: server`,
    );
  }
  if (mode === 'reservation-only' && (pool !== undefined || config.reservations.length === 0)) {
    throw invalid(
      `${where}: in mode reservation-only there are reservations and no pool: another server leases to all other NICs`,
    );
  }
  if (pool === undefined && config.reservations.length === 0 && mode === 'server') {
    throw invalid(
      `${where}: in mode server there must be addresses to lease: add pool: <first>-<last>, or set mode: proxy`,
    );
  }
  if (pool !== undefined) {
    within(pool.first, 'pool');
    within(pool.last, 'pool');
    const unusable: [number, string][] = [
      ...taken,
      ...config.routers.map((router): [number, string] => [number(router, `${where}.routers`), 'a router']),
      // RFC 3021: in a /31 both are hosts.
      ...(own.prefix < 31
        ? ([
            [own.network, 'the network itself'],
            [broadcastOf(own), 'the broadcast address'],
          ] satisfies [number, string][])
        : []),
    ];
    for (const [value, what] of unusable) {
      if (value >= pool.first && value <= pool.last)
        throw invalid(`${where}.pool: it contains ${formatIpv4(value)}, ${what}: leave that out`);
    }
  }
  const reservations = new Map<string, number>();
  for (const reservation of config.reservations) {
    const value = number(reservation.address, `${where}.reservations`);
    within(value, 'reservations');
    const mac = parseMac(reservation.mac);
    if (mac === undefined) throw invalid(`${where}.reservations: ${reservation.mac} is no hardware address`);
    if (reservations.has(mac)) throw invalid(`${where}.reservations: ${mac} stands there twice`);
    if ([...reservations.values()].includes(value))
      throw invalid(`${where}.reservations: ${reservation.address} stands there twice`);
    reservations.set(mac, value);
  }
  const { dnsServers, ntpServers, leaseSeconds } = config;
  const options = planned(where, () => planOptions(own, config));
  const ownOptions = new Map<string, readonly PlannedOption[]>();
  const hostNames = new Map<string, string>();
  for (const { mac, hostName, ...reservation } of config.reservations) {
    const differing = [
      ...planned(`${where}.reservations: ${mac}`, () => planOwnOptions(own, reservation)),
      ...(hostName === undefined ? [] : [{ ...textOption(OptionCode.HOST_NAME, hostName), always: true }]),
    ];
    if (hostName !== undefined) hostNames.set(parseMac(mac) ?? mac, hostName.toLowerCase());
    if (differing.length > 0) ownOptions.set(parseMac(mac) ?? mac, overrideOptions(options, differing));
  }
  return {
    id: config.subnet,
    network: own,
    mode,
    pool,
    reservations,
    hostNames,
    serverAddress,
    dnsServers,
    ntpServers,
    leaseSeconds,
    timeOptions: [
      uint32Option(OptionCode.LEASE_TIME, leaseSeconds),
      uint32Option(OptionCode.RENEWAL_TIME, Math.floor(leaseSeconds / 2)),
      uint32Option(OptionCode.REBINDING_TIME, Math.floor((leaseSeconds * 7) / 8)),
    ],
    options,
    ownOptions,
  };
}

function planned(where: string, plan: () => PlannedOption[]): PlannedOption[] {
  try {
    return plan();
  } catch (error) {
    throw invalid(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function address(text: string, where: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw invalid(`${where}: ${parsed.reason}`);
  return parsed.value;
}

function number(text: string, where: string): number {
  const value = numberOfIpv4(text);
  if (value === undefined) throw invalid(`${where}: ${text} is no IPv4 address`);
  return value;
}

function network(text: string, where: string): Ipv4Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw invalid(`${where}: ${text} is no network`);
  return parsed;
}

function invalid(message: string): BootServerError {
  return new BootServerError(BootServerErrorCode.ConfigInvalid, message);
}
