import { z } from 'zod';
import { parseDuid, parseIpv6, parseIpv6Subnet } from '@ingot/wire';
import { parseMac } from '../identity.ts';
import { parsePool6 } from '../dhcpv6/pool.ts';

/** One IPv6 network that is served. */
export interface Subnet6Config {
  readonly subnet: string;
  readonly mode: 'server' | 'stateless' | 'boot-only';
  readonly interface?: string | undefined;
  readonly pool?: string | undefined;
  readonly reservations: readonly {
    readonly duid?: string | undefined;
    readonly mac?: string | undefined;
    readonly address: string;
  }[];
  readonly dnsServers: readonly string[];
  readonly domains: readonly string[];
  readonly ntpServers: readonly string[];
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  readonly renewSeconds?: number | undefined;
  readonly rebindSeconds?: number | undefined;
  readonly rapidCommit: boolean;
}

export interface Dhcp6Config {
  readonly listen: readonly string[];
  readonly relays: readonly string[];
  readonly preference?: number | undefined;
  readonly httpUrl?: string | undefined;
  readonly subnets: readonly Subnet6Config[];
}

const ipv6 = (): z.ZodString =>
  z.string().refine((text) => parseIpv6(text).ok, { error: 'write an IPv6 address, as 2001:db8::1' });
const network6 = (): z.ZodString =>
  z.string().refine((text) => parseIpv6Subnet(text).ok, {
    error: 'write an IPv6 network with its host bits 0, as 2001:db8:1::/64',
  });
const seconds = (): z.ZodInt => z.int().min(60).max(31_536_000);

const subnet = z
  .strictObject({
    subnet: network6().describe('the network, as 2001:db8:1::/64'),
    mode: z
      .enum(['server', 'stateless', 'boot-only'])
      .default('server')
      .describe('server leases addresses, stateless tells the rest only, boot-only adds what to boot only'),
    interface: z
      .string()
      .regex(/^[\w.:-]{1,15}$/, { error: 'write the name of an interface, as eth0' })
      .optional()
      .describe('own interface on this network; without it only relays are heard'),
    pool: z
      .string()
      .refine((text) => parsePool6(text) !== undefined, {
        error: 'write the first and the last address, as 2001:db8:1::1000-2001:db8:1::1fff',
      })
      .optional()
      .describe('addresses to lease, first and last'),
    reservations: z
      .array(
        z
          .strictObject({
            duid: z
              .string()
              .refine((text) => parseDuid(text).ok, { error: 'write a DUID, as 00:03:00:01:52:54:00:00:01:01' })
              .optional(),
            mac: z
              .string()
              .refine((text) => parseMac(text) !== undefined, {
                error: 'write a hardware address, as 52:54:00:00:01:01',
              })
              .optional(),
            address: ipv6(),
          })
          .refine(({ duid, mac }) => (duid === undefined) !== (mac === undefined), {
            error: 'name the client by duid or by mac, not by both',
          }),
      )
      .default([])
      .describe('addresses that belong to one client each'),
    dnsServers: z.array(ipv6()).max(8).default([]).describe('name servers'),
    domains: z
      .array(
        z.string().regex(/^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*$/, { error: 'write a domain, as rack.example' }),
      )
      .max(8)
      .default([])
      .describe('domains to search, the machines’ own first'),
    ntpServers: z.array(ipv6()).max(8).default([]).describe('time servers'),
    preferredSeconds: seconds().default(2_700).describe('how long an address is used for new connections'),
    validSeconds: seconds().default(3_600).describe('how long an address is leased'),
    renewSeconds: seconds().optional().describe('T1; default: half of preferredSeconds'),
    rebindSeconds: seconds().optional().describe('T2; default: four fifths of preferredSeconds'),
    rapidCommit: z
      .boolean()
      .default(true)
      .describe('lease with two messages instead of four to clients that ask for it'),
  })
  .refine(({ preferredSeconds, validSeconds }) => preferredSeconds <= validSeconds, {
    error: 'preferredSeconds may not be more than validSeconds',
  });

export const dhcp6Schema: z.ZodType<Dhcp6Config | undefined> = z
  .strictObject({
    listen: z
      .array(ipv6())
      .min(1)
      .describe('own addresses for relays, and for TFTP; the first is in the URLs that machines are given'),
    relays: z.array(network6()).default([]).describe('networks of the relays that are answered; default: all'),
    preference: z.int().min(0).max(255).optional().describe('255 makes clients take this server at once'),
    httpUrl: z
      .url({ protocol: /^http$/, error: 'write http://[address]:port: machines fetch their files without TLS' })
      .optional()
      .describe('base of the URLs over IPv6; default: the first of listen and the port of http.listen'),
    subnets: z
      .array(subnet)
      .min(1, { error: 'describe at least one network' })
      .max(256)
      .describe('the IPv6 networks that are answered for'),
  })
  .optional()
  .describe('addresses and boot offers over IPv6; off when absent');
