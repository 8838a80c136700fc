import { ipv6ToBigInt, subnet6Contains, type Ipv6, type Ipv6Subnet } from '@ingot/wire';
import type { Dhcp6Config } from '../config/dhcp6.ts';
import { configInvalid } from '../errors.ts';
import { address, subnetOf } from './plan-fields.ts';
import { planSubnet } from './plan-subnet.ts';
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
  for (const [index, subnet] of subnets.entries()) checkOverlap(subnet, subnets, `dhcp6.subnets[${index}]`);
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

/** Within networks that contain each other an address is of the smallest: what another leases there it could not renew. */
function checkOverlap({ id, network: own, pool, reservations }: Subnet6, all: readonly Subnet6[], where: string): void {
  for (const { id: inner, network: part } of all) {
    if (inner === id || part.prefixLength < own.prefixLength || !subnet6Contains(own, part.network)) continue;
    const first = ipv6ToBigInt(part.network);
    const last = first + (1n << BigInt(128 - part.prefixLength)) - 1n;
    if (pool !== undefined && pool.first <= last && pool.last >= first)
      throw configInvalid(`${where}.pool: part of it is in ${inner}, which stands there as well: keep the two apart`);
    const reserved = [...reservations.values()].find((value) => subnet6Contains(part, value));
    if (reserved !== undefined)
      throw configInvalid(`${where}.reservations: ${reserved} is in ${inner}: write it there`);
  }
}
