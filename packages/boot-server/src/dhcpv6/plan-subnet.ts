import {
  duidText,
  ipv6OfBigInt,
  ipv6ToBigInt,
  parseDuid,
  subnet6Contains,
  type Ipv6,
  type Ipv6Subnet,
} from '@ingot/wire';
import type { Subnet6Config } from '../config/dhcp6.ts';
import { configInvalid } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { address, subnetOf } from './plan-fields.ts';
import { parsePool6, type Pool6 } from './pool.ts';
import type { Subnet6 } from './subnets.ts';

/** `where` is its place in the configuration; `own`: this server's addresses. Throws BootServerError CONFIG_INVALID. */
export function planSubnet(config: Subnet6Config, where: string, own: readonly Ipv6[]): Subnet6 {
  const { dnsServers, ntpServers, preferredSeconds, validSeconds } = config;
  const network = subnetOf(config.subnet, `${where}.subnet`);
  const pool = config.pool === undefined ? undefined : parsePool6(config.pool);
  checkMode(config, pool, where);
  if (pool !== undefined) checkPool(pool, network, own, `${where}.pool`);
  return {
    id: idOf(network),
    network,
    mode: config.mode,
    interfaceName: config.interface,
    pool,
    reservations: planReservations(config, network, `${where}.reservations`),
    dnsServers: dnsServers.map((text) => address(text, `${where}.dnsServers`)),
    domains: config.domains,
    ntpServers: ntpServers.map((text) => address(text, `${where}.ntpServers`)),
    preferredSeconds,
    validSeconds,
    // RFC 8415 §21.4 recommends these shares.
    renewSeconds: config.renewSeconds ?? Math.floor(preferredSeconds * 0.5),
    rebindSeconds: config.rebindSeconds ?? Math.floor(preferredSeconds * 0.8),
    rapidCommit: config.rapidCommit,
  };
}

function idOf({ network, prefixLength }: Ipv6Subnet): string {
  return `${network}/${prefixLength}`;
}

function checkMode({ mode, reservations }: Subnet6Config, pool: Pool6 | undefined, where: string): void {
  if (mode !== 'server' && (pool !== undefined || reservations.length > 0)) {
    throw configInvalid(
      `${where}: in mode ${mode} another server leases the addresses: take out pool and reservations, or set mode: server`,
    );
  }
  if (mode === 'server' && pool === undefined && reservations.length === 0) {
    throw configInvalid(`${where}: in mode server there must be addresses to lease: add pool: <first>-<last>`);
  }
}

function checkPool(pool: Pool6, network: Ipv6Subnet, own: readonly Ipv6[], where: string): void {
  checkWithin(network, ipv6OfBigInt(pool.first), where);
  checkWithin(network, ipv6OfBigInt(pool.last), where);
  const unusable: readonly (readonly [Ipv6, string])[] = [
    ...own.map((each) => [each, 'an address of this server'] as const),
    // RFC 4291 §2.6.1: every router of the link answers to it.
    [network.network, 'the subnet-router anycast address'],
  ];
  for (const [value, what] of unusable) {
    const number = ipv6ToBigInt(value);
    if (number >= pool.first && number <= pool.last)
      throw configInvalid(`${where}: it contains ${value}, ${what}: leave that out`);
  }
}

function checkWithin(network: Ipv6Subnet, value: Ipv6, where: string): void {
  if (!subnet6Contains(network, value)) throw configInvalid(`${where}: ${value} is not in ${idOf(network)}`);
}

/** By DUID in hex with colons, or by MAC. */
function planReservations(config: Subnet6Config, network: Ipv6Subnet, where: string): Map<string, Ipv6> {
  const reservations = new Map<string, Ipv6>();
  for (const reservation of config.reservations) {
    const value = address(reservation.address, where);
    checkWithin(network, value, where);
    const client = clientKey(reservation);
    if (client === undefined) throw configInvalid(`${where}: ${reservation.address} is nobody's`);
    if (reservations.has(client)) throw configInvalid(`${where}: ${client} stands there twice`);
    if ([...reservations.values()].includes(value)) throw configInvalid(`${where}: ${value} stands there twice`);
    reservations.set(client, value);
  }
  return reservations;
}

function clientKey({ duid, mac }: Subnet6Config['reservations'][number]): string | undefined {
  if (mac !== undefined) return parseMac(mac);
  const parsed = duid === undefined ? undefined : parseDuid(duid);
  return parsed?.ok === true ? duidText(parsed.value) : undefined;
}
