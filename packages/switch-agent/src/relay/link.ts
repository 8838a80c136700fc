import {
  IPV4_BROADCAST,
  ipv4ToNumber,
  parseIpv4,
  parseMac,
  subnetBroadcast,
  type Ipv4,
  type Ipv4Subnet,
} from '@ingot/wire';
import type { InterfaceAddress } from '@ingot/net';
import { encodeAgent, fillIn } from './agent-option.ts';
import type { KernelInterface } from './kernel-interfaces.ts';
import type { LinkSettings } from './link-settings.ts';

/** A link that can be served: its settings, and what the kernel has for them. */
export interface RelayLink {
  readonly settings: LinkSettings;
  readonly kernel: KernelInterface;
  /** Our first address on the link: what clients see answers come from, and what link selection names. */
  readonly address: Ipv4;
  /** What a request may be sent to for us to take it: our addresses on the link, which are for us alone, and broadcasts. */
  readonly targets: ReadonlyMap<string, 'unicast' | 'broadcast'>;
  readonly giaddr: Ipv4;
  readonly giaddrNumber: number;
  readonly addressNumber: number;
  /** The address that requests leave from. */
  readonly source: Ipv4;
  /** The device that the servers' socket is bound to. */
  readonly serverDevice: string | undefined;
  readonly serverNumbers: readonly number[];
  readonly remoteId: Uint8Array;
  /** The value of option 82 for a request from a port. */
  agentFor(port: string | undefined, isUnicast: boolean): Uint8Array;
}

export interface LinkSurroundings {
  readonly hostname: string;
  readonly aliases: ReadonlyMap<string, string>;
  readonly circuitId: string;
  readonly remoteId: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly interfaceOf: (name: string) => KernelInterface | undefined;
}

/** More values of option 82 than a switch has ports: a bridge with more makes them anew. */
const MAX_REMEMBERED_PORTS = 1_024;

/** The link as it can be served now, or why it cannot: in words for an operator. */
export function resolveLink(settings: LinkSettings, surroundings: LinkSurroundings): RelayLink | string {
  const { name } = settings;
  const kernel = surroundings.interfaceOf(name);
  if (kernel === undefined) return `there is no interface ${name}`;
  if (!parseMac(kernel.mac).ok) return `${name} is no Ethernet interface`;
  const own = addressesOf(kernel, surroundings);
  const [address] = own;
  if (address === undefined) return `${name} has no IPv4 address`;
  if (settings.servers.length === 0) return `${name} has no DHCP server`;
  let source = address;
  let vrf = kernel.vrf;
  if (settings.sourceInterface !== undefined) {
    const sourceKernel = surroundings.interfaceOf(settings.sourceInterface);
    const [first] = sourceKernel === undefined ? [] : addressesOf(sourceKernel, surroundings);
    if (sourceKernel === undefined) return `there is no interface ${settings.sourceInterface} to send from`;
    if (first === undefined) return `${settings.sourceInterface} has no IPv4 address to send from`;
    source = first;
    vrf = sourceKernel.vrf;
  }
  if (settings.serverVrf !== undefined) vrf = settings.serverVrf === 'default' ? undefined : settings.serverVrf;
  if (vrf !== kernel.vrf && !settings.linkSelection)
    return `${name} is in another VRF than its servers: set a source interface there, and link selection`;
  const giaddr = settings.linkSelection ? source : address;
  const values = { hostname: surroundings.hostname, link: name, mac: kernel.mac, port: name, alias: name };
  const remoteId = fillIn(surroundings.remoteId, values);
  const remembered = new Map<string, Uint8Array>();
  return {
    settings,
    kernel,
    address: address.network,
    targets: new Map([
      [IPV4_BROADCAST, 'broadcast'],
      ...own.map((each) => [broadcastOf(each), 'broadcast'] as const),
      ...own.map((each) => [each.network, 'unicast'] as const),
    ]),
    giaddr: giaddr.network,
    giaddrNumber: ipv4ToNumber(giaddr.network),
    addressNumber: ipv4ToNumber(address.network),
    source: source.network,
    serverDevice: vrf,
    serverNumbers: settings.servers.map(ipv4ToNumber),
    remoteId,
    agentFor: (port, isUnicast) => {
      const key = `${isUnicast ? 'u' : 'b'}${port ?? ''}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const portName = port ?? name;
      const alias = surroundings.aliases.get(portName) ?? portName;
      const value = encodeAgent({
        circuitId: fillIn(surroundings.circuitId, { ...values, port: portName, alias }),
        remoteId,
        linkSelection: settings.linkSelection ? address.network : undefined,
        serverIdOverride: settings.serverIdOverride ? address.network : undefined,
        isUnicast,
        vrf: settings.vrfSelection ? kernel.vrf : undefined,
      });
      if (remembered.size < MAX_REMEMBERED_PORTS) remembered.set(key, value);
      return value;
    },
  };
}

/** Addresses with their subnets, in the kernel's order; those that share a subnet with an earlier one come last. */
function addressesOf({ index }: KernelInterface, { addresses }: LinkSurroundings): Ipv4Subnet[] {
  return addresses
    .filter((each) => each.interfaceIndex === index)
    .toSorted((a, b) => Number(a.isSecondary) - Number(b.isSecondary))
    .flatMap(({ address, prefixLength }) => {
      const parsed = parseIpv4(address);
      return parsed.ok ? [{ network: parsed.value, prefixLength }] : [];
    });
}

/** RFC 3021: a /31 has no broadcast address, and a /32 no other at all. */
function broadcastOf(own: Ipv4Subnet): Ipv4 {
  return own.prefixLength >= 31 ? own.network : subnetBroadcast(own);
}
