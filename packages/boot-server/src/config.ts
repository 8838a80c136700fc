import { z } from 'zod';
import { defineConfig, listenAddress, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { numberOfIpv4, parseNetwork } from './ipv4.ts';
import { parseMac } from './identity.ts';
import type { Binaries } from './decide/decision.ts';
import { parsePool } from './dhcp/pool.ts';

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

/** The configuration with its defaults filled in; the schema below says what each field means. */
export interface BootServerConfig extends DaemonConfig {
  readonly partition: string;
  readonly dataDir: string;
  readonly advertiseAddress: string;
  readonly dhcp: {
    readonly listen: readonly string[];
    readonly mode: 'server' | 'proxy';
    readonly relays: readonly string[];
    readonly subnets: readonly SubnetConfig[];
  };
  readonly pxe: { readonly listen?: readonly string[] | undefined };
  readonly tftp: { readonly listen?: readonly string[] | undefined; readonly root?: string | undefined };
  readonly http: { readonly listen: string; readonly url?: string | undefined };
  readonly ipxe: { readonly directory: string; readonly files: Binaries };
  readonly artifacts: { readonly roots: readonly string[]; readonly maxBytes: number };
  readonly api: { readonly url: string; readonly caFile: string; readonly tokenFile: string };
  readonly machine: {
    readonly apiUrl?: string | undefined;
    readonly ntpServers: readonly string[];
    readonly dnsServers: readonly string[];
    readonly debug: boolean;
  };
  readonly boot: { readonly seenWithinMinutes: number; readonly nonceMinutes: number };
}

const ipv4 = (): z.ZodString =>
  z.string().refine((text) => numberOfIpv4(text) !== undefined, { error: 'write an IPv4 address, as 10.0.0.1' });
const ownAddresses = (): z.ZodArray<z.ZodString> =>
  z.array(
    ipv4().refine((text) => text !== '0.0.0.0', {
      error:
        'name the addresses to listen on: an answer by broadcast leaves by the interface of the address that it comes from',
    }),
  );
const network = (): z.ZodString =>
  z.string().refine((text) => parseNetwork(text) !== undefined, {
    error: 'write a network with its host bits 0, as 10.0.1.0/24',
  });
// 127 bytes of the `file` field less the NIC's 18.
const fileName = (): z.ZodString =>
  z
    .string()
    .regex(/^[\w.+-]{1,64}$/, { error: 'write the name of a file in ipxe.directory, letters, digits and .+-_ only' });
const absolutePath = (): z.ZodString => z.string().startsWith('/', { error: 'write an absolute path' });
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

const schema = z.object({
  partition: z.string().min(2).max(128).describe('the partition whose machines boot here'),
  dataDir: absolutePath().describe('folder for leases, nonces and the last answers of the API'),
  advertiseAddress: ipv4().describe('own address under which machines reach this server'),
  dhcp: z
    .strictObject({
      listen: ownAddresses().min(1).describe('own addresses on whose port 67 relays and clients are heard'),
      mode: mode().default('server').describe('server leases addresses, proxy only adds what to boot'),
      relays: z.array(network()).default([]).describe('networks of relays that are in none of the subnets'),
      subnets: z
        .array(subnet)
        .min(1, { error: 'describe at least one network' })
        .describe('the networks that are answered for'),
    })
    .describe('addresses and boot offers'),
  pxe: z
    .strictObject({ listen: ownAddresses().optional().describe('own addresses for port 4011; default: dhcp.listen') })
    .prefault({})
    .describe('PXE boot server'),
  tftp: z
    .strictObject({
      listen: ownAddresses().optional().describe('own addresses for port 69; default: dhcp.listen'),
      root: absolutePath().optional().describe('a folder whose files are published besides the iPXE binaries'),
    })
    .prefault({})
    .describe('TFTP, read only'),
  http: z
    .strictObject({
      listen: listenAddress().describe('address:port of the HTTP server'),
      url: z
        .url({ protocol: /^http$/, error: 'write http://address:port: machines fetch their files without TLS' })
        .optional()
        .describe('base of the URLs that machines are given; default: advertiseAddress and the port of http.listen'),
    })
    .describe('scripts, kernels and machine configurations'),
  ipxe: z
    .strictObject({
      directory: absolutePath().default('/usr/lib/ipxe').describe('where the iPXE binaries are'),
      files: z
        .strictObject({
          bios: fileName().default('undionly.kpxe').describe('for BIOS'),
          efiX64: fileName().default('snponly.efi').describe('for UEFI on x86, 64 bit'),
          efiIa32: fileName().optional().describe('for UEFI on x86, 32 bit'),
          efiArm32: fileName().optional().describe('for UEFI on ARM, 32 bit'),
          efiArm64: fileName().optional().describe('for UEFI on ARM, 64 bit'),
          efiRiscv64: fileName().optional().describe('for UEFI on RISC-V, 64 bit'),
          efiLoong64: fileName().optional().describe('for UEFI on LoongArch, 64 bit'),
        })
        .prefault({})
        .describe('iPXE binary for each kind of machine'),
    })
    .prefault({})
    .describe('the boot loader'),
  artifacts: z
    .strictObject({
      roots: z.array(absolutePath()).default([]).describe('folders out of which file: URIs of the API are served'),
      maxBytes: z.int().min(1).default(1_073_741_824).describe('memory for kernels and initrds, all together'),
    })
    .prefault({})
    .describe('kernels and initrds'),
  api: z
    .strictObject({
      url: z.url({ protocol: /^https$/, error: 'write https://host:port' }).describe('the API server'),
      caFile: absolutePath().describe(
        'PEM file of the authority that signed its certificate; machines are given it, too',
      ),
      tokenFile: absolutePath().describe('file with this server’s token'),
    })
    .describe('the API server'),
  machine: z
    .strictObject({
      apiUrl: z.url().optional().describe('the API as machines reach it; default: api.url'),
      ntpServers: z.array(z.string()).default([]).describe('time servers; default: those of the subnet'),
      dnsServers: z.array(ipv4()).default([]).describe('name servers; default: those of the subnet'),
      debug: z.boolean().default(false).describe('verbose discovery'),
    })
    .prefault({})
    .describe('what machines are told'),
  boot: z
    .strictObject({
      seenWithinMinutes: z
        .int()
        .min(1)
        .max(1_440)
        .default(30)
        .describe('how long after its DHCP request a machine may fetch its script'),
      nonceMinutes: z
        .int()
        .min(1)
        .max(1_440)
        .default(30)
        .describe('how long after its script a machine may fetch its configuration'),
    })
    .prefault({})
    .describe('time limits of one boot'),
});

/** The boot server's configuration; `docs` and flags come from it. */
export const bootServerConfig: ConfigDefinition<BootServerConfig> = defineConfig({
  name: 'boot-server',
  description: 'Boots machines from the network: DHCP, PXE, TFTP and HTTP.',
  schema,
});
