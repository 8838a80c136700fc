import { defineConfig, listenAddress, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { z } from 'zod';
import type { CallsPerMinute } from './auth/call-limits.ts';
import { backupSchema, type BackupSettings } from './backup/settings.ts';
import { parseDatabaseLocation } from './store/location.ts';

const name = z.string().min(2).max(128);

const partition = z.strictObject({
  id: name.describe('how agents and machines name it'),
  description: z.string().max(256).default('').describe('for people'),
  bootConfiguration: z
    .strictObject({
      kernelUrl: z.url().describe('kernel that machines without an operating system boot'),
      imageUrl: z.url().describe('its initrd'),
      commandline: z.string().max(4096).default('').describe('its command line; the boot server adds to it'),
    })
    .describe('what machines without an operating system boot'),
  dnsServers: z.array(z.string()).max(3).default([]).describe('IP addresses handed to machines'),
  ntpServers: z.array(z.string()).max(10).default([]).describe('IP addresses or names handed to machines'),
});

/** What `parseDatabaseLocation` reads. */
const databaseLocation = z.string().superRefine((text, context) => {
  try {
    parseDatabaseLocation(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

const schema = z.object({
  dataDir: z.string().startsWith('/').describe('certificates, the admin token and, as a rule, the database; mode 0700'),
  database: databaseLocation
    .optional()
    .describe('sqlite:/path, or postgres://user@host/database for several servers; default <dataDir>/api.sqlite'),
  databasePasswordFile: z.string().optional().describe('file with the password for PostgreSQL, for its owner only'),
  superUserPasswordFile: z
    .string()
    .startsWith('/')
    .optional()
    .describe('file with the password of every BMC’s superuser, for its owner only; default: there is no superuser'),
  listen: z
    .array(listenAddress())
    .min(1)
    .default(['127.0.0.1:9443'])
    .describe('where gRPC and Connect are served, with TLS: address:port or unix:/path'),
  tls: z
    .strictObject({
      names: z
        .array(z.string().min(1))
        .default([])
        .describe('host names and addresses that clients dial; those in listen and localhost are added'),
    })
    .default({ names: [] }),
  partitions: z.array(partition).default([]).describe('written to the database at every start'),
  providerTenant: name
    .regex(/^[^/]+$/, 'a login has no slash')
    .optional()
    .describe('login of the tenant whose owners are administrators, and whose editors and viewers may look'),
  callsPerMinute: z
    .strictObject({
      token: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(600)
        .describe('with one token; administrators and infrastructure have no limit'),
      anonymous: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(300)
        .describe('without a good token, from one IPv4 address or one IPv6 /64'),
    })
    .prefault({})
    .describe('how often one client may call'),
  resurrectMachines: z
    .boolean()
    .default(true)
    .describe('start machines anew by their BMC that nobody has and that were silent for an hour'),
  backup: backupSchema.describe('backups that the server makes by itself; default none'),
});

/** A partition as the operator writes it down. */
export interface PartitionConfig {
  readonly id: string;
  readonly description: string;
  readonly bootConfiguration: {
    readonly kernelUrl: string;
    readonly imageUrl: string;
    readonly commandline: string;
  };
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
}

/** What the operator sets. See `ingot api-server --help`. */
export interface ApiServerConfig extends DaemonConfig {
  /** Absolute path. */
  readonly dataDir: string;
  /** `sqlite:/path` or `postgres://…`. */
  readonly database?: string | undefined;
  readonly databasePasswordFile?: string | undefined;
  /** Absolute path. Read again at a reload. */
  readonly superUserPasswordFile?: string | undefined;
  readonly listen: readonly string[];
  readonly tls: { readonly names: readonly string[] };
  readonly partitions: readonly PartitionConfig[];
  readonly providerTenant?: string | undefined;
  readonly callsPerMinute: CallsPerMinute;
  readonly resurrectMachines: boolean;
  readonly backup?: BackupSettings | undefined;
}

export const apiServerConfig: ConfigDefinition<ApiServerConfig> = defineConfig({
  name: 'api-server',
  description: 'Keeps the machines and switches of a partition, and serves the metal-stack v2 API',
  schema,
});
