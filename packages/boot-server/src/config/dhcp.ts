import { z } from 'zod';
import { parseMac } from '../identity.ts';
import { parsePool } from '../dhcp/pool.ts';
import { ipv4, network, ownAddresses } from './fields.ts';

/** One network that is served. */
export interface SubnetConfig {
  readonly subnet: string;
  readonly mode?: 'server' | 'proxy' | undefined;
  readonly pool?: string | undefined;
  readonly reservations: readonly { readonly mac: string; readonly address: string }[];
  readonly routers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  readonly domainName?: string | undefined;
  readonly leaseSeconds: number;
}

export interface DhcpConfig {
  readonly listen: readonly string[];
  readonly mode: 'server' | 'proxy';
  readonly relays: readonly string[];
  readonly whenUndecided: 'lastKnown' | 'ignore';
  readonly subnets: readonly SubnetConfig[];
}

const mode = (): z.ZodEnum<{ server: 'server'; proxy: 'proxy' }> => z.enum(['server', 'proxy']);

const subnet = z.strictObject({
  subnet: network().describe('the network, as 10.0.1.0/24'),
  mode: mode().optional().describe('server leases addresses, proxy only adds what to boot; default: dhcp.mode'),
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
      }),
    )
    .default([])
    .describe('addresses that belong to one NIC each'),
  routers: z.array(ipv4()).default([]).describe('default gateways'),
  dnsServers: z.array(ipv4()).default([]).describe('name servers'),
  ntpServers: z.array(ipv4()).default([]).describe('time servers'),
  domainName: z.string().min(1).max(253).optional().describe('domain of the machines'),
  leaseSeconds: z.int().min(60).max(31_536_000).default(3_600).describe('how long an address is leased'),
});

export const dhcpSchema: z.ZodType<DhcpConfig> = z
  .strictObject({
    listen: ownAddresses().min(1).describe('own addresses on whose port 67 relays and clients are heard'),
    mode: mode().default('server').describe('server leases addresses, proxy only adds what to boot'),
    relays: z.array(network()).default([]).describe('networks of relays that are in none of the subnets'),
    whenUndecided: z
      .enum(['lastKnown', 'ignore'])
      .default('lastKnown')
      .describe('what a machine is offered when nothing decides in time: what it booted last, or nothing'),
    subnets: z
      .array(subnet)
      .min(1, { error: 'describe at least one network' })
      .describe('the networks that are answered for'),
  })
  .describe('addresses and boot offers');
