import {
  duidText,
  ipv6OfBigInt,
  ipv6ToBigInt,
  isLinkLocal,
  isMulticast6,
  parseDuid,
  parseIpv6,
  parseIpv6Subnet,
  subnet6Contains,
  type Ipv6,
  type Ipv6Subnet,
} from '@ingot/wire';
import type { Dhcp6Config, Subnet6Config } from '../config/dhcp6.ts';
import { configInvalid } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { parsePool6 } from './pool.ts';
import type { Subnet6 } from './subnets.ts';

/** The configuration of DHCPv6, parsed and found sound. */
export interface Dhcp6Plan {
  /** Own addresses: relays send to them. */
  readonly listen: readonly Ipv6[];
  /** Own interfaces on whose links clients are heard. */
  readonly interfaces: readonly string[];
  readonly subnets: readonly Subnet6[];
  /** Whether a subnet is of mode boot-only. */
  readonly isBeside: boolean;
  /** Networks of the relays that are answered; all when empty. */
  readonly relays: readonly Ipv6Subnet[];
  readonly preference: number | undefined;
  /** Base of all URLs, without a slash at the end: `http://[2001:db8::1]:8080`. */
  readonly httpUrl: string;
  /** `tftp://[2001:db8::1]`. */
  readonly tftpUrl: string;
}

/** Throws BootServerError CONFIG_INVALID for settings that do not go together, in words. */
export function planDhcp6(
  config: Dhcp6Config,
  http: readonly { readonly address: string; readonly port: number }[],
): Dhcp6Plan {
  const listen = config.listen.map((text) => address(text, 'dhcp6.listen'));
  const [own] = listen;
  if (own === undefined) throw configInvalid('dhcp6.listen: name an own address');
  const port = http.find(({ address: bound }) => bound.includes(':'))?.port;
  if (config.httpUrl === undefined && port === undefined) {
    throw configInvalid(
      'dhcp6: HTTP listens on IPv4 only, which machines cannot reach over IPv6: add an IPv6 address to http.listen, as [::]:8080, or set dhcp6.httpUrl',
    );
  }
  const subnets = config.subnets.map((each, index) => planSubnet(each, `dhcp6.subnets[${index}]`, listen));
  const twice = (values: readonly string[]): string | undefined =>
    values.find((value, index) => values.indexOf(value) !== index);
  const network = twice(subnets.map(({ id }) => id));
  if (network !== undefined) throw configInvalid(`dhcp6.subnets: ${network} stands there twice: join the two`);
  const interfaces = subnets.flatMap(({ interfaceName }) => (interfaceName === undefined ? [] : [interfaceName]));
  const link = twice(interfaces);
  if (link !== undefined) {
    throw configInvalid(
      `dhcp6.subnets: two networks are on ${link}, and a client does not tell which it wants: keep one`,
    );
  }
  return {
    listen,
    interfaces,
    subnets,
    isBeside: subnets.some(({ mode }) => mode === 'boot-only'),
    relays: config.relays.map((text) => subnetOf(text, 'dhcp6.relays')),
    preference: config.preference,
    httpUrl: (config.httpUrl ?? `http://[${own}]:${port}`).replace(/\/+$/, ''),
    tftpUrl: `tftp://[${own}]`,
  };
}

function planSubnet(config: Subnet6Config, where: string, own: readonly Ipv6[]): Subnet6 {
  const network = subnetOf(config.subnet, `${where}.subnet`);
  const id = `${network.network}/${network.prefixLength}`;
  const within = (value: Ipv6, field: string): void => {
    if (!subnet6Contains(network, value)) throw configInvalid(`${where}.${field}: ${value} is not in ${id}`);
  };
  const pool = config.pool === undefined ? undefined : parsePool6(config.pool);
  if (config.mode !== 'server' && (pool !== undefined || config.reservations.length > 0)) {
    throw configInvalid(
      `${where}: in mode ${config.mode} another server leases the addresses: take out pool and reservations, or set mode: server`,
    );
  }
  if (config.mode === 'server' && pool === undefined && config.reservations.length === 0) {
    throw configInvalid(`${where}: in mode server there must be addresses to lease: add pool: <first>-<last>`);
  }
  if (pool !== undefined) {
    within(ipv6OfBigInt(pool.first), 'pool');
    within(ipv6OfBigInt(pool.last), 'pool');
    const unusable: readonly (readonly [Ipv6, string])[] = [
      ...own.map((each) => [each, 'an address of this server'] as const),
      // RFC 4291 §2.6.1: every router of the link answers to it.
      [network.network, 'the subnet-router anycast address'],
    ];
    for (const [value, what] of unusable) {
      const number = ipv6ToBigInt(value);
      if (number >= pool.first && number <= pool.last) {
        throw configInvalid(`${where}.pool: it contains ${value}, ${what}: leave that out`);
      }
    }
  }
  const reservations = new Map<string, Ipv6>();
  for (const reservation of config.reservations) {
    const value = address(reservation.address, `${where}.reservations`);
    within(value, 'reservations');
    const client = clientKey(reservation);
    if (client === undefined) throw configInvalid(`${where}.reservations: ${reservation.address} is nobody's`);
    if (reservations.has(client)) throw configInvalid(`${where}.reservations: ${client} stands there twice`);
    if ([...reservations.values()].includes(value))
      throw configInvalid(`${where}.reservations: ${value} stands there twice`);
    reservations.set(client, value);
  }
  const { dnsServers, ntpServers, preferredSeconds, validSeconds } = config;
  return {
    id,
    network,
    mode: config.mode,
    interfaceName: config.interface,
    pool,
    reservations,
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

function clientKey({ duid, mac }: Subnet6Config['reservations'][number]): string | undefined {
  if (mac !== undefined) return parseMac(mac);
  const parsed = duid === undefined ? undefined : parseDuid(duid);
  return parsed?.ok === true ? duidText(parsed.value) : undefined;
}

function address(text: string, where: string): Ipv6 {
  const parsed = parseIpv6(text);
  if (!parsed.ok) throw configInvalid(`${where}: ${parsed.reason}`);
  if (isLinkLocal(parsed.value) || isMulticast6(parsed.value)) {
    throw configInvalid(`${where}: ${text} is good on one link only: write a global or unique local address`);
  }
  return parsed.value;
}

function subnetOf(text: string, where: string): Ipv6Subnet {
  const parsed = parseIpv6Subnet(text);
  if (!parsed.ok) throw configInvalid(`${where}: ${parsed.reason}`);
  return parsed.value;
}
