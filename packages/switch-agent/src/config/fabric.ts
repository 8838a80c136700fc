import { isIPv4 } from 'node:net';
import { formatIpPrefix, parseInterfaceAddress } from '@ingot/wire';
import { z } from 'zod';
import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import type { ManagementRoute } from '../fabric-model.ts';
import { isInPool, VLAN_POOL } from '../reconcile/vlan-pool.ts';
import type { LeafConfig } from '../reconcile/wishes.ts';

/** What the agent is told about the fabric; metal-core's settings, by its names. */
export interface FabricConfig {
  readonly reconfigure: boolean;
  readonly reconfigureSeconds: number;
  readonly cycleTimeoutSeconds: number;
  readonly hardwareTimeoutSeconds: number;
  readonly stateFile: string;
  readonly saveConfig: boolean;
  readonly savedConfigFile: string;
  readonly asn?: number | undefined;
  readonly loopback?: string | undefined;
  readonly setSourceLoopback: boolean;
  readonly uplinks: readonly string[];
  readonly additionalBridgePorts: readonly string[];
  readonly pxeVlanId: number;
  readonly managementGateway?: string | undefined;
  readonly additionalManagementRoutes: readonly string[];
}

/** The fields of the schema; each stands for itself. What they need of each other is checked by `leafConfigOf`. */
export const fabricFields: { readonly [Field in keyof FabricConfig]-?: z.ZodType<FabricConfig[Field]> } = {
  reconfigure: z
    .boolean()
    .default(false)
    .describe('whether the switch is changed; false: compare it with what the API wants, and change nothing'),
  reconfigureSeconds: z
    .number()
    .min(1)
    .max(600)
    .default(10)
    .describe('time between two cycles of comparing and changing'),
  cycleTimeoutSeconds: z.number().min(5).max(600).default(300).describe('how long one such cycle may take'),
  hardwareTimeoutSeconds: z
    .number()
    .min(1)
    .max(120)

    .default(10)
    .describe('how long one step of a cycle waits for SONiC to have done the one before'),
  stateFile: z
    .string()
    .default('/var/lib/ingot-switch-agent/desired.json')
    .describe('keeps what the API last wanted, for when it cannot be asked'),
  saveConfig: z
    .boolean()
    .default(false)
    .describe('whether what this agent owns is saved in savedConfigFile too, so that a boot brings it back'),
  savedConfigFile: z.string().default('/etc/sonic/config_db.json').describe('the configuration that SONiC boots with'),
  asn: z.int().min(1).max(4_294_967_295).optional().describe('the AS number of this leaf'),
  loopback: z.ipv4().optional().describe("this leaf's loopback address: BGP's router id, the VTEP's source"),
  setSourceLoopback: z.boolean().default(false).describe('whether routes of BGP get the loopback as source address'),
  uplinks: z.array(z.string()).default([]).describe('the ports towards the spines'),
  additionalBridgePorts: z.array(z.string()).default([]).describe('ports that are neither registered nor changed'),
  pxeVlanId: z
    .int()
    .min(2)
    .max(4094)
    .refine((id) => !isInPool(id), `outside ${VLAN_POOL.first} to ${VLAN_POOL.last}, which are for tenants`)
    .default(4000)
    .describe('the VLAN in which machines boot; it must exist'),
  managementGateway: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe('the next hop of the default route in the management VRF; absent: no such route'),
  additionalManagementRoutes: z
    .array(z.string().refine((text) => parseInterfaceAddress(text).ok, 'a prefix, as 10.0.0.0/8'))
    .default([])
    .describe('more prefixes behind managementGateway'),
};

/**
 * The leaf as the configuration describes it; undefined when it says too little and nothing may be changed anyway.
 * Throws SwitchAgentError `SWITCH_CONFIG`.
 */
export function leafConfigOf(config: FabricConfig): LeafConfig | undefined {
  const { asn, loopback, uplinks, additionalBridgePorts } = config;
  const missing = [
    ...(asn === undefined ? ['asn'] : []),
    ...(loopback === undefined ? ['loopback'] : []),
    ...(uplinks.length === 0 ? ['uplinks'] : []),
  ];
  if (asn === undefined || loopback === undefined || missing.length > 0) {
    if (!config.reconfigure) return undefined;
    throw configError(`reconfigure needs ${missing.join(', ')}; set what is missing, or reconfigure: false`);
  }
  const both = uplinks.find((port) => additionalBridgePorts.includes(port));
  if (both !== undefined) throw configError(`${both} is in uplinks and in additionalBridgePorts; take it out of one`);
  return {
    uplinks,
    additionalBridgePorts,
    pxeVlanId: config.pxeVlanId,
    asn,
    loopback,
    setSourceLoopback: config.setSourceLoopback,
    managementRoutes: managementRoutes(config),
  };
}

function managementRoutes(config: FabricConfig): readonly ManagementRoute[] {
  const { managementGateway: gateway, additionalManagementRoutes: more } = config;
  if (gateway === undefined) {
    if (more.length === 0) return [];
    throw configError('additionalManagementRoutes need a managementGateway; set it');
  }
  const family = isIPv4(gateway) ? 'ipv4' : 'ipv6';
  const additional = more.map((text) => {
    const prefix = parseInterfaceAddress(text);
    if (prefix.ok && prefix.value.family === family) return { prefix: formatIpPrefix(prefix.value), gateway };
    throw configError(`additionalManagementRoutes: ${text} and managementGateway ${gateway} are of different families`);
  });
  return [{ prefix: family === 'ipv4' ? '0.0.0.0/0' : '::/0', gateway }, ...additional];
}

function configError(what: string): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.Config, what);
}
