import { defineConfig, type ConfigDefinition, type DaemonConfig } from '@ingot/daemon';
import { parseIpv4, type Ipv4 } from '@ingot/wire';
import { z } from 'zod';
import { isSwitchHostname } from '../identity.ts';
import { ID_FIELDS, unknownIdField } from './agent-option.ts';
import { AGENT_RELAY_MODES, type AgentRelayMode } from './link-settings.ts';

/** How a link is served; what it does not say is as for all links. */
export interface LinkConfig {
  readonly interface: string;
  readonly servers?: readonly Ipv4[] | undefined;
  readonly serverVrf?: string | undefined;
  readonly sourceInterface?: string | undefined;
  readonly linkSelection?: boolean | undefined;
  readonly serverIdOverride?: boolean | undefined;
  readonly vrfSelection?: boolean | undefined;
  readonly agentRelayMode?: AgentRelayMode | undefined;
  readonly maxHops?: number | undefined;
  readonly downstreamRelays?: boolean | undefined;
}

/** How the DHCP relay is told what to do. */
export interface SwitchRelayConfig extends DaemonConfig {
  readonly interfaces: readonly string[];
  readonly servers: readonly Ipv4[];
  readonly links: readonly LinkConfig[];
  readonly serverVrf?: string | undefined;
  readonly sourceInterface?: string | undefined;
  readonly linkSelection: boolean;
  readonly serverIdOverride: boolean;
  readonly vrfSelection: boolean;
  readonly agentRelayMode: AgentRelayMode;
  readonly maxHops: number;
  readonly downstreamRelays: boolean;
  readonly circuitId: string;
  readonly remoteId: string;
  readonly hostname?: string | undefined;
  readonly aliases: Readonly<Record<string, string>>;
  readonly maxPacketBytes: number;
  readonly refreshSeconds: number;
  readonly redis: { readonly databaseConfig: string; readonly timeoutSeconds: number };
}

/** IFNAMSIZ of Linux, without its NUL; no blank and no slash. */
const interfaceName = (): z.ZodString =>
  z.string().regex(/^[^\s/]{1,15}$/, 'a network interface: 1 to 15 characters, no blank and no "/"');

const server = (): z.ZodType<Ipv4, string> =>
  z.string().transform((text, context) => {
    const parsed = parseIpv4(text);
    const isHost = parsed.ok && !/^(?:0|127|22[4-9]|2[3-5]\d)\./.test(parsed.value);
    if (isHost) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.ok ? `${text} is no address of a server` : parsed.reason });
    return z.NEVER;
  });

const idTemplate = (): z.ZodString =>
  z
    .string()
    .min(1)
    .max(255)
    .refine((text) => unknownIdField(text) === undefined, {
      error: `knows ${ID_FIELDS.map((name) => `{${name}}`).join(', ')} and no other name in braces`,
    });

const linkSchema = z.strictObject({
  interface: interfaceName().describe('where the clients are: Vlan4000'),
  servers: z.array(server()).min(1).optional(),
  serverVrf: interfaceName().optional(),
  sourceInterface: interfaceName().optional(),
  linkSelection: z.boolean().optional(),
  serverIdOverride: z.boolean().optional(),
  vrfSelection: z.boolean().optional(),
  agentRelayMode: z.enum(AGENT_RELAY_MODES).optional(),
  maxHops: z.int().min(1).max(16).optional(),
  downstreamRelays: z.boolean().optional(),
});

const schema = z.object({
  interfaces: z
    .array(interfaceName())
    .default([])
    .describe('where the clients are: Vlan4000; without interfaces and links, as CONFIG_DB says'),
  servers: z.array(server()).default([]).describe('the DHCP servers; each gets every request'),
  links: z
    .array(linkSchema)
    .refine((links) => new Set(links.map((link) => link.interface)).size === links.length, 'names an interface twice')
    .default([])
    .describe('interfaces that differ from the rest, each with settings of its own (interface, servers, …)'),
  serverVrf: interfaceName()
    .optional()
    .describe(
      'the VRF in which the servers are, or "default"; without it, that of the clients or the source interface',
    ),
  sourceInterface: interfaceName()
    .optional()
    .describe("requests leave from its address: Loopback0; default: the clients' interface"),
  linkSelection: z
    .boolean()
    .default(false)
    .describe("giaddr is the source interface's address, and option 82 says which link the client is on (RFC 3527)"),
  serverIdOverride: z.boolean().default(false).describe('clients renew and release through the relay, too (RFC 5107)'),
  vrfSelection: z.boolean().default(false).describe("option 82 has the name of the clients' VRF (RFC 6607)"),
  agentRelayMode: z
    .enum(AGENT_RELAY_MODES)
    .default('discard')
    .describe('what becomes of a request that carries option 82 already'),
  maxHops: z.int().min(1).max(16).default(4).describe('a request that has been through so many relays is dropped'),
  downstreamRelays: z
    .boolean()
    .default(false)
    .describe('pass on requests of other relays behind the interface; a client can pretend to be one'),
  circuitId: idTemplate()
    .default('{hostname}:{alias}')
    .describe('option 82 sub-option 1: {port} and {alias} are of the port that the client is on'),
  remoteId: idTemplate()
    .default('{mac}')
    .describe("option 82 sub-option 2: {mac} is the clients' interface's; no port here"),
  hostname: z
    .string()
    .refine(isSwitchHostname, 'letters, digits, "-" and ".", 2 to 128 characters')
    .optional()
    .describe("{hostname}; default: CONFIG_DB's, or the kernel's"),
  aliases: z
    .record(interfaceName(), z.string().min(1).max(128))
    .default({})
    .describe("{alias} of ports; default: CONFIG_DB's, or the name of the port"),
  maxPacketBytes: z
    .int()
    .min(548)
    .max(9_188)
    .default(1_472)
    .describe('a request that option 82 would make longer goes without it (RFC 3046 section 2.1)'),
  refreshSeconds: z
    .number()
    .min(1)
    .max(300)
    .default(5)
    .describe('time between two looks at the interfaces, and at CONFIG_DB'),
  redis: z
    .object({
      databaseConfig: z
        .string()
        .default('/var/run/redis/sonic-db/database_config.json')
        .describe("SONiC's file that says where its databases are"),
      timeoutSeconds: z.number().min(0.1).max(60).default(5).describe('how long Redis may take to answer'),
    })
    .prefault({}),
});

/** The configuration of `ingot-switch relay`: file, environment (`INGOT_SWITCH_RELAY_`) and flags. */
export const switchRelayConfig: ConfigDefinition<SwitchRelayConfig> = defineConfig({
  name: 'switch-relay',
  description: 'Relays DHCP between the links of a leaf and DHCP servers elsewhere.',
  schema,
});
