import { hostname as kernelHostname } from 'node:os';
import { parseIpv4, type Ipv4 } from '@ingot/wire';
import type { SonicDb } from '../sonic-db.ts';
import type { SwitchRelayConfig } from './config.ts';
import { AGENT_RELAY_MODES, type LinkSettings, type RelayPlan } from './link-settings.ts';
import { defaultsFor } from './plan.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * What CONFIG_DB wants relayed: `VLAN|Vlan4000` `dhcp_servers@`, or `DHCPV4_RELAY|Vlan4000`, which says more and comes
 * first. `onOdd` is told of what cannot be understood: it is left out. Throws SwitchAgentError `SWITCH_DATABASE`.
 */
export async function readSonicPlan(
  configDb: Pick<SonicDb, 'rows'>,
  config: SwitchRelayConfig,
  onOdd: (what: string) => void,
): Promise<RelayPlan> {
  const [vlans, relays, ports, metadata] = await Promise.all([
    configDb.rows('VLAN'),
    configDb.rows('DHCPV4_RELAY'),
    configDb.rows('PORT'),
    configDb.rows('DEVICE_METADATA'),
  ]);
  const defaults = defaultsFor(config);
  const links: LinkSettings[] = [];
  for (const name of new Set([...vlans.keys(), ...relays.keys()].toSorted())) {
    const relay = relays.get(name);
    const servers = serversOf(name, relay?.['dhcpv4_servers@'] ?? vlans.get(name)?.['dhcp_servers@'], onOdd);
    if (servers.length > 0) links.push({ ...defaults, ...readRelayRow(name, relay ?? {}, onOdd), name, servers });
  }
  const aliases = [...ports].flatMap(([port, { alias }]) => (alias === undefined ? [] : [[port, alias] as const]));
  return {
    hostname: config.hostname ?? metadata.get('localhost')?.['hostname'] ?? kernelHostname(),
    links,
    aliases: new Map([...aliases, ...Object.entries(config.aliases)]),
  };
}

function serversOf(name: string, list: string | undefined, onOdd: (what: string) => void): Ipv4[] {
  return (list ?? '').split(',').flatMap((text) => {
    const parsed = parseIpv4(text.trim());
    if (parsed.ok) return [parsed.value];
    // VLAN's list may hold servers of DHCPv6, which is no business of ours.
    if (text.trim() !== '' && !text.includes(':')) onOdd(`${name}: the DHCP server "${text}" is no IPv4 address`);
    return [];
  });
}

/** The fields of a DHCPV4_RELAY row that are there, by SONiC's YANG model sonic-dhcpv4-relay. */
function readRelayRow(name: string, row: Fields, onOdd: (what: string) => void): Partial<LinkSettings> {
  const text = (field: string): string | undefined => (row[field] === '' ? undefined : row[field]);
  const flag = (field: string): boolean | undefined => {
    const value = text(field);
    if (value === undefined || value === 'enable') return value === undefined ? undefined : true;
    if (value !== 'disable') onOdd(`${name}: ${field} is "${value}", not enable or disable`);
    return value === 'disable' ? false : undefined;
  };
  const mode = text('agent_relay_mode');
  const agentRelayMode = AGENT_RELAY_MODES.find((each) => each === mode);
  if (mode !== undefined && agentRelayMode === undefined) onOdd(`${name}: there is no agent_relay_mode "${mode}"`);
  const hops = Number(text('max_hop_count') ?? Number.NaN);
  const isHops = Number.isInteger(hops) && hops >= 1 && hops <= 16;
  if (text('max_hop_count') !== undefined && !isHops) onOdd(`${name}: max_hop_count is not 1 to 16`);
  const said = {
    serverVrf: text('server_vrf'),
    sourceInterface: text('source_interface'),
    linkSelection: flag('link_selection'),
    serverIdOverride: flag('server_id_override'),
    vrfSelection: flag('vrf_selection'),
    agentRelayMode,
    maxHops: isHops ? hops : undefined,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
