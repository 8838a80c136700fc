import { z } from 'zod';
import { parseMac } from '../identity.ts';
import { parsePool } from '../dhcp/pool.ts';
import { ipv4, network, ownAddresses } from './fields.ts';

/** An option by its number, with its value in one of several spellings. */
export interface RawOptionConfig {
  readonly code: number;
  readonly hex?: string | undefined;
  readonly text?: string | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly uint8?: number | undefined;
  readonly uint16?: number | undefined;
  readonly uint32?: number | undefined;
  readonly always: boolean;
}

/** What clients are told of their network: of a subnet, or of one reservation in place of its subnet's. */
export interface NetworkOptionsConfig {
  readonly routers?: readonly string[] | undefined;
  readonly dnsServers?: readonly string[] | undefined;
  readonly ntpServers?: readonly string[] | undefined;
  readonly domainName?: string | undefined;
  readonly domainSearch?: readonly string[] | undefined;
  readonly routes?: readonly { readonly to: string; readonly via: string }[] | undefined;
  readonly mtu?: number | undefined;
  readonly options?: readonly RawOptionConfig[] | undefined;
}

export type SubnetMode = 'server' | 'proxy' | 'reservation-only';

/** An address that belongs to one NIC, with what differs from its subnet. */
export interface ReservationConfig extends NetworkOptionsConfig {
  readonly mac: string;
  readonly address: string;
  readonly hostName?: string | undefined;
}

/** One network that is served. */
export interface SubnetConfig extends NetworkOptionsConfig {
  readonly subnet: string;
  readonly mode?: SubnetMode | undefined;
  readonly pool?: string | undefined;
  readonly reservations: readonly ReservationConfig[];
  readonly routers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  readonly leaseSeconds: number;
  readonly advertiseAddress?: string | undefined;
}

export interface DhcpConfig {
  readonly listen: readonly string[];
  readonly interfaces?: readonly string[] | undefined;
  readonly mode: SubnetMode;
  readonly relays: readonly string[];
  readonly whenUndecided: 'lastKnown' | 'ignore';
  readonly conflictDetectionMs?: number | undefined;
  readonly unicast?: 'auto' | 'never' | undefined;
  readonly capture?: boolean | undefined;
  readonly subnets: readonly SubnetConfig[];
}

const rawOption = z.strictObject({
  code: z.int().min(0).max(255).describe('its number'),
  hex: z
    .string()
    .regex(/^(?:[0-9a-f]{2}[\s:]?)*$/i, { error: 'write whole bytes, as 0a 1b or 0a1b' })
    .optional()
    .describe('value as hex digits'),
  text: z.string().max(1_024).optional().describe('value as text'),
  addresses: z.array(ipv4()).min(1).optional().describe('value as IPv4 addresses'),
  uint8: z.int().min(0).max(255).optional().describe('value as a number of one byte'),
  uint16: z.int().min(0).max(65_535).optional().describe('value as a number of two bytes'),
  uint32: z.int().min(0).max(4_294_967_295).optional().describe('value as a number of four bytes'),
  always: z.boolean().default(true).describe('send it to clients that do not ask for it, too'),
});

/** Fields of a subnet and of a reservation. */
const networkOptionFields = {
  domainName: z.string().min(1).max(253).optional().describe('domain of the machines'),
  domainSearch: z.array(z.string().min(1).max(253)).optional().describe('domains to search names in'),
  routes: z
    .array(
      z.strictObject({ to: network().describe('destination'), via: ipv4().describe('gateway; 0.0.0.0: on the link') }),
    )
    .optional()
    .describe('classless static routes (option 121); default gateways are repeated there'),
  mtu: z.int().min(68).max(65_535).optional().describe('MTU of the network'),
  options: z.array(rawOption).optional().describe('any other option, by number'),
} as const;

const mode = (): z.ZodEnum<{ server: 'server'; proxy: 'proxy'; 'reservation-only': 'reservation-only' }> =>
  z.enum(['server', 'proxy', 'reservation-only']);

const subnet = z.strictObject({
  subnet: network().describe('the network, as 10.0.1.0/24'),
  mode: mode()
    .optional()
    .describe(
      'server leases addresses, proxy only adds what to boot, reservation-only answers the NICs with a reservation; default: dhcp.mode',
    ),
  pool: z
    .string()
    .refine((text) => parsePool(text) !== undefined, {
      error: 'write the first and the last address, as 10.0.1.100-10.0.1.199',
    })
    .optional()
    .describe('addresses to lease, first and last'),
  reservations: z
    .array(
      z.strictObject({
        mac: z
          .string()
          .refine((text) => parseMac(text) !== undefined, { error: 'write a hardware address, as 52:54:00:00:01:01' }),
        address: ipv4(),
        hostName: z
          .string()
          .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i, { error: 'write a host name' })
          .optional()
          .describe('name of the machine (option 12)'),
        routers: z.array(ipv4()).optional().describe('default gateways, in place of the subnet’s'),
        dnsServers: z.array(ipv4()).optional().describe('name servers, in place of the subnet’s'),
        ntpServers: z.array(ipv4()).optional().describe('time servers, in place of the subnet’s'),
        ...networkOptionFields,
      }),
    )
    .default([])
    .describe('addresses that belong to one NIC each'),
  routers: z.array(ipv4()).default([]).describe('default gateways'),
  dnsServers: z.array(ipv4()).default([]).describe('name servers'),
  ntpServers: z.array(ipv4()).default([]).describe('time servers'),
  ...networkOptionFields,
  leaseSeconds: z.int().min(60).max(31_536_000).default(3_600).describe('how long an address is leased'),
  advertiseAddress: ipv4()
    .optional()
    .describe('own address under which the machines of this network reach the server; default: advertiseAddress'),
});

export const dhcpSchema: z.ZodType<DhcpConfig> = z
  .strictObject({
    listen: ownAddresses().default([]).describe('own addresses on whose port 67 relays and clients are heard'),
    interfaces: z
      .array(z.string().regex(/^[^\s/]{1,15}$/, { error: 'write the name of an interface, as eth1' }))
      .default([])
      .describe('interfaces (or VRF devices) on which clients and relays are heard, each with its own network'),
    mode: mode()
      .default('server')
      .describe(
        'server leases addresses, proxy only adds what to boot, reservation-only answers the NICs with a reservation',
      ),
    relays: z.array(network()).default([]).describe('networks of relays that are in none of the subnets'),
    whenUndecided: z
      .enum(['lastKnown', 'ignore'])
      .default('lastKnown')
      .describe('what a machine is offered when nothing decides in time: what it booted last, or nothing'),
    conflictDetectionMs: z
      .int()
      .min(0)
      .max(1_000)
      .default(300)
      .describe('how long the network is asked whether an address is in use, before it is offered; 0: not at all'),
    unicast: z
      .enum(['auto', 'never'])
      .default('auto')
      .describe(
        'clients of own links that have no address yet and ask for no broadcast: auto answers them by unicast where CAP_NET_RAW allows it',
      ),
    capture: z
      .boolean()
      .default(false)
      .describe(
        'hear and answer below the sockets of another DHCP server on the same address; mode proxy only, takes CAP_NET_RAW',
      ),
    subnets: z
      .array(subnet)
      .min(1, { error: 'describe at least one network' })
      .describe('the networks that are answered for'),
  })
  .describe('addresses and boot offers');
