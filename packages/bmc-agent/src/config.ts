import { isIP } from 'node:net';
import { defineConfig, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { z } from 'zod';

/** How the worker for management controllers is told what to do. */
export interface BmcAgentConfig extends DaemonConfig {
  readonly partition: string;
  readonly firmware: 'uefi' | 'bios';
  readonly atOnce: number;
  readonly commandSeconds: number;
  readonly ipmi: { readonly ipmitool: string; readonly cipherSuite?: number | undefined };
  readonly inventory: { readonly file?: string | undefined; readonly reportSeconds: number };
  readonly leases: {
    readonly files: readonly { readonly file: string; readonly format: 'dhcpd' | 'kea' | 'ingot' }[];
    readonly networks: readonly string[];
    readonly user?: string | undefined;
    readonly passwordFile?: string | undefined;
    readonly port: number;
  };
  readonly redfish: {
    readonly caFile?: string | undefined;
    readonly fingerprints: readonly string[];
    readonly insecure: boolean;
  };
  readonly api: {
    readonly url: string;
    readonly caFile: string;
    readonly tokenFile: string;
    readonly timeoutSeconds: number;
  };
}

const schema = z.object({
  partition: z.string().min(2).max(128).describe('the partition whose BMCs are reached from here'),
  firmware: z
    .enum(['uefi', 'bios'])
    .default('uefi')
    .describe('how the machines boot: which kind of boot device their BMCs are asked for'),
  atOnce: z.int().min(1).max(100).default(10).describe('commands under way at once, each for another machine'),
  commandSeconds: z
    .number()
    .min(5)
    .max(100)
    .default(60)
    .describe('how long a command may take; the API gives it again after 120 s'),
  ipmi: z
    .object({
      ipmitool: z.string().min(1).default('ipmitool').describe('the program, by name or path'),
      cipherSuite: z
        .int()
        .refine((suite) => suite === 3 || suite === 17, '3 (SHA-1) or 17 (SHA-256): no other one is sound and in use')
        .optional()
        .describe('3 or 17; default: 17, and 3 for a BMC that does not have it'),
    })
    .prefault({}),
  inventory: z
    .object({
      file: z
        .string()
        .optional()
        .describe('YAML list of machines (uuid, address, mac, user, passwordFile, interface) to report to the API'),
      reportSeconds: z.number().min(10).max(1200).default(300).describe('time between two reports'),
    })
    .prefault({}),
  leases: z
    .object({
      files: z
        .array(
          z.strictObject({
            file: z.string().startsWith('/').describe('absolute path'),
            format: z.enum(['dhcpd', 'kea', 'ingot']).describe('whose file it is'),
          }),
        )
        .max(16)
        .default([])
        .describe(
          "where DHCP servers keep their leases: ISC dhcpd's dhcpd.leases, the CSV of Kea's memfile, boot-server.sqlite of Ingot's boot server",
        ),
      networks: z
        .array(z.string().refine(isPrefix, 'a prefix such as 10.1.0.0/16'))
        .max(64)
        .default([])
        .describe('the networks of the BMCs; leases in others are not looked at. Default: all'),
      user: z.string().min(1).max(256).optional().describe('the user that all BMCs with a lease have; needs networks'),
      passwordFile: z.string().startsWith('/').optional().describe('the file with the password of that user'),
      port: z.int().min(1).max(65_535).default(443).describe('where such BMCs speak Redfish'),
    })
    .prefault({})
    .refine((leases) => (leases.user === undefined) === (leases.passwordFile === undefined), {
      error: 'user and passwordFile go together',
    })
    .refine((leases) => leases.user === undefined || leases.networks.length > 0, {
      error: 'name the networks of the BMCs: the password would be offered to everything that has a lease',
    }),
  redfish: z
    .object({
      caFile: z
        .string()
        .optional()
        .describe("the CA of the BMCs' certificates; default: the public ones that Node knows"),
      fingerprints: z
        .array(
          z
            .string()
            .transform((text) => text.replaceAll(':', '').toLowerCase())
            .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of a certificate: 64 hexadecimal digits')),
        )
        .default([])
        .describe('SHA-256 of the certificates of BMCs, as openssl prints it; with one, no other certificate is taken'),
      insecure: z
        .boolean()
        .default(false)
        .describe('take any certificate of a BMC: whoever sits in between learns the password'),
    })
    .prefault({})
    .refine((redfish) => !(redfish.insecure && (redfish.caFile !== undefined || redfish.fingerprints.length > 0)), {
      error: 'insecure checks nothing: take it out, or caFile and fingerprints',
    }),
  api: z.object({
    url: z
      .string()
      .regex(/^(?:https:\/\/|unix:\/)./, 'https://address:port or unix:/path')
      .describe('the API server: https://address:port or unix:/path'),
    caFile: z.string().describe("the CA of the API server's certificate, the only one that is trusted"),
    tokenFile: z.string().describe('the file with the bearer token; read again when it changes'),
    timeoutSeconds: z.number().min(1).max(120).default(10).describe('how long the API may take to answer'),
  }),
});

function isPrefix(text: string): boolean {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const family = isIP(match?.[1] ?? '');
  return family !== 0 && Number(match?.[2]) <= (family === 4 ? 32 : 128);
}

/** The configuration of `ingot bmc`: file, environment (`INGOT_BMC_`) and flags. */
export const bmcAgentConfig: ConfigDefinition<BmcAgentConfig> = defineConfig({
  name: 'bmc',
  description: 'Carries out what the API orders management controllers to do: power, boot device, identify LED.',
  schema,
});
