import { OptionCode, textOption, uint32Option, type Ipv4 } from '@ingot/wire';
import type { SubnetConfig, SubnetMode } from '../config/dhcp.ts';
import { wordsOf } from '../error-words.ts';
import { configInvalid } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { broadcastOf, formatIpv4, networkContains, type Ipv4Network } from '../ipv4.ts';
import { network, number } from './plan-fields.ts';
import { parsePool, type Pool } from './pool.ts';
import { overrideOptions, planOptions, planOwnOptions, type PlannedOption } from './subnet-options.ts';
import type { Subnet } from './subnets.ts';

/** What a network does not say itself. */
export interface SubnetSetting {
  readonly mode: SubnetMode;
  readonly serverAddress: Ipv4;
  /** Addresses that no client can have, with what they are. */
  readonly taken: ReadonlyMap<number, string>;
}

/** `where` is its place in the configuration. Throws BootServerError CONFIG_INVALID. */
export function planSubnet(config: SubnetConfig, where: string, setting: SubnetSetting): Subnet {
  const { mode, serverAddress, taken } = setting;
  const { dnsServers, ntpServers, leaseSeconds } = config;
  const own = network(config.subnet, `${where}.subnet`);
  const pool = config.pool === undefined ? undefined : parsePool(config.pool);
  checkMode(mode, { hasPool: pool !== undefined, hasReservations: config.reservations.length > 0 }, where);
  if (pool !== undefined) checkPool(pool, own, where, [...taken, ...unusable(config, own, where)]);
  const reservations = planReservations(config, own, where);
  const options = planned(where, () => planOptions(own, config));
  return {
    id: config.subnet,
    network: own,
    mode,
    pool,
    reservations,
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
    ...planHosts(config, own, options, where),
  };
}

function checkMode(mode: SubnetMode, has: { hasPool: boolean; hasReservations: boolean }, where: string): void {
  const { hasPool, hasReservations } = has;
  if (mode === 'proxy' && (hasPool || hasReservations)) {
    throw configInvalid(
      `${where}: in mode proxy another server leases the addresses: take out pool and reservations, or set mode: server`,
    );
  }
  if (mode === 'reservation-only' && (hasPool || !hasReservations)) {
    throw configInvalid(
      `${where}: in mode reservation-only there are reservations and no pool: another server leases to all other NICs`,
    );
  }
  if (mode === 'server' && !hasPool && !hasReservations) {
    throw configInvalid(
      `${where}: in mode server there must be addresses to lease: add pool: <first>-<last>, or set mode: proxy`,
    );
  }
}

function checkPool(
  pool: Pool,
  own: Ipv4Network,
  where: string,
  unleasable: readonly (readonly [number, string])[],
): void {
  checkWithin(own, pool.first, `${where}.pool`);
  checkWithin(own, pool.last, `${where}.pool`);
  for (const [value, what] of unleasable) {
    if (value >= pool.first && value <= pool.last)
      throw configInvalid(`${where}.pool: it contains ${formatIpv4(value)}, ${what}: leave that out`);
  }
}

/** Addresses of the network itself that no client can have. */
function unusable(config: SubnetConfig, own: Ipv4Network, where: string): (readonly [number, string])[] {
  return [
    ...config.routers.map((router) => [number(router, `${where}.routers`), 'a router'] as const),
    // RFC 3021: in a /31 both are hosts.
    ...(own.prefix < 31
      ? ([
          [own.network, 'the network itself'],
          [broadcastOf(own), 'the broadcast address'],
        ] as const)
      : []),
  ];
}

function checkWithin(own: Ipv4Network, value: number, where: string): void {
  if (!networkContains(own, value))
    throw configInvalid(`${where}: ${formatIpv4(value)} is not in ${formatIpv4(own.network)}/${own.prefix}`);
}

/** By MAC, lower case with colons. */
function planReservations(config: SubnetConfig, own: Ipv4Network, where: string): Map<string, number> {
  const reservations = new Map<string, number>();
  for (const reservation of config.reservations) {
    const value = number(reservation.address, `${where}.reservations`);
    checkWithin(own, value, `${where}.reservations`);
    const mac = parseMac(reservation.mac);
    if (mac === undefined) throw configInvalid(`${where}.reservations: ${reservation.mac} is no hardware address`);
    if (reservations.has(mac)) throw configInvalid(`${where}.reservations: ${mac} stands there twice`);
    if ([...reservations.values()].includes(value))
      throw configInvalid(`${where}.reservations: ${reservation.address} stands there twice`);
    reservations.set(mac, value);
  }
  return reservations;
}

/** What the reservations say besides their addresses. */
function planHosts(
  config: SubnetConfig,
  own: Ipv4Network,
  options: readonly PlannedOption[],
  where: string,
): Pick<Subnet, 'ownOptions' | 'hostNames'> {
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
  return { ownOptions, hostNames };
}

function planned(where: string, plan: () => PlannedOption[]): PlannedOption[] {
  try {
    return plan();
  } catch (error) {
    throw configInvalid(`${where}: ${wordsOf(error)}`);
  }
}
