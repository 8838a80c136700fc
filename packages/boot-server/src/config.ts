import { z } from 'zod';
import { defineConfig, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { adminSchema, type AdminConfig } from './config/admin.ts';
import { agentSchema, type AgentPolicyConfig } from './config/agent.ts';
import { apiSchema, type ApiConfig } from './config/api.ts';
import { artifactsSchema, type ArtifactsConfig } from './config/artifacts.ts';
import { bootSchema, type BootConfig } from './config/boot.ts';
import { dhcpSchema, type DhcpConfig } from './config/dhcp.ts';
import { dhcp6Schema, type Dhcp6Config } from './config/dhcp6.ts';
import { httpSchema, type HttpConfig } from './config/http.ts';
import { ipxeSchema, type IpxeConfig } from './config/ipxe.ts';
import { machineSchema, type MachineConfig } from './config/machine.ts';
import { pxeSchema, type PxeConfig } from './config/pxe.ts';
import { sourcesSchema, type SourcesConfig } from './config/sources.ts';
import { tftpSchema, type TftpConfig } from './config/tftp.ts';
import { absolutePath, ipv4 } from './config/fields.ts';
import { imageCacheSchema, type ImageCacheConfig } from './config/image-cache.ts';

/** The configuration with its defaults filled in; the schemas in `config/` say what each field means. */
export interface BootServerConfig extends DaemonConfig {
  readonly partition: string;
  readonly dataDir: string;
  readonly runAs?: string | undefined;
  readonly advertiseAddress: string;
  readonly dhcp: DhcpConfig;
  /** Absent: nothing is heard or said over IPv6. */
  readonly dhcp6?: Dhcp6Config | undefined;
  readonly pxe: PxeConfig;
  readonly tftp: TftpConfig;
  readonly http: HttpConfig;
  readonly ipxe: IpxeConfig;
  readonly artifacts: ArtifactsConfig;
  /** Undefined: other sources decide, and machines get no configuration. */
  readonly api?: ApiConfig | undefined;
  readonly sources: SourcesConfig;
  readonly machine: MachineConfig;
  readonly agent: AgentPolicyConfig;
  readonly boot: BootConfig;
  readonly admin: AdminConfig;
  /** Undefined: no images are cached. */
  readonly imageCache?: ImageCacheConfig | undefined;
}

const schema = z.object({
  partition: z.string().min(2).max(128).describe('the partition whose machines boot here'),
  dataDir: absolutePath().describe('folder for leases, nonces and the last answers of the API'),
  runAs: z
    .string()
    .regex(/^[a-z_][\w-]{0,31}$/, { error: 'write the name of a user' })
    .optional()
    .describe('user to go on as when started by root, with the right to low ports only; default: stay who it is'),
  advertiseAddress: ipv4().describe('own address under which machines reach this server'),
  dhcp: dhcpSchema,
  dhcp6: dhcp6Schema,
  pxe: pxeSchema,
  tftp: tftpSchema,
  http: httpSchema,
  ipxe: ipxeSchema,
  artifacts: artifactsSchema,
  api: apiSchema,
  sources: sourcesSchema,
  machine: machineSchema,
  agent: agentSchema,
  boot: bootSchema,
  admin: adminSchema,
  imageCache: imageCacheSchema,
});

/** The boot server's configuration; `docs` and flags come from it. */
export const bootServerConfig: ConfigDefinition<BootServerConfig> = defineConfig({
  name: 'boot-server',
  description: 'Boots machines from the network: DHCP, PXE, TFTP and HTTP.',
  schema,
});
