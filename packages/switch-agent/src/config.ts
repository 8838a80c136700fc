import { defineConfig, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { z } from 'zod';
import { type FabricConfig, fabricFields } from './config/fabric.ts';
import { type FrrConfig, frrField } from './config/frr.ts';
import { isSwitchHostname } from './identity.ts';
import { NAMING_SCHEMAS, type NamingSchema } from './naming.ts';

/** How the switch agent is told what to do. */
export interface SwitchAgentConfig extends DaemonConfig, FabricConfig {
  readonly partition: string;
  readonly rack?: string | undefined;
  readonly room?: string | undefined;
  readonly hostname?: string | undefined;
  readonly managementIp?: string | undefined;
  readonly managementInterface: string;
  readonly managementUser: string;
  readonly namingSchema: NamingSchema;
  readonly redis: { readonly databaseConfig: string; readonly timeoutSeconds: number };
  readonly frr: FrrConfig;
  readonly sonicVersionFile: string;
  readonly sysClassNet: string;
  readonly statusSocket: string;
  readonly heartbeatSeconds: number;
  readonly api: {
    readonly url: string;
    readonly caFile: string;
    readonly tokenFile: string;
    readonly timeoutSeconds: number;
  };
}

/** Where the daemon answers `ingot-switch status` when nothing else is set. */
export const STATUS_SOCKET = '/run/ingot-switch-agent/status.sock';

// The API's rule for names.
const name = (): z.ZodString => z.string().min(2).max(128);

const schema = z.object({
  ...fabricFields,
  partition: name().describe('the partition that this switch belongs to'),
  rack: name().optional().describe('the rack that this switch stands in'),
  room: name().optional().describe('the room that this switch stands in'),
  hostname: z
    .string()
    .refine(isSwitchHostname, 'letters, digits, "-" and ".", 2 to 128 characters')
    .optional()
    .describe('the id of this switch, which LLDP announces as system name; default: the host name'),
  managementIp: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe('the address for managing this switch; default: the first global one of managementInterface'),
  managementInterface: z.string().default('eth0').describe('where the management address is found'),
  managementUser: name().default('admin').describe('the user for managing this switch'),
  namingSchema: z
    .enum(NAMING_SCHEMAS)
    .default('default')
    .describe('default: name = port, identifier = alias; swap: the reverse; name, alias: that one for both'),
  redis: z
    .object({
      databaseConfig: z
        .string()
        .default('/var/run/redis/sonic-db/database_config.json')
        .describe("SONiC's file that says where its databases are"),
      timeoutSeconds: z.number().min(0.1).max(60).default(5).describe('how long Redis may take to answer'),
    })
    .prefault({}),
  frr: frrField,
  sonicVersionFile: z.string().default('/etc/sonic/sonic_version.yml').describe("SONiC's file with its version"),
  sysClassNet: z.string().default('/sys/class/net').describe("the kernel's folder of network interfaces"),
  statusSocket: z.string().startsWith('/').default(STATUS_SOCKET).describe('where "ingot-switch status" asks'),
  heartbeatSeconds: z
    .number()
    .min(1)
    .max(600)
    .default(10)
    .describe('time between two heartbeats, and between two readings of CONFIG_DB and of the desired state'),
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

/** The configuration of `ingot switch-agent`: file, environment (`INGOT_SWITCH_AGENT_`) and flags. */
export const switchAgentConfig: ConfigDefinition<SwitchAgentConfig> = defineConfig({
  name: 'switch-agent',
  description: 'Registers a SONiC leaf with the API, reports the state of its ports, and makes it what the API wants.',
  schema,
});
