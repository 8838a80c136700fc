import type { Ipv4 } from '@ingot/wire';

/**
 * What becomes of a request that carries option 82 already, as SONiC's DHCPV4_RELAY and ISC dhcrelay have it.
 * `discard`: it is dropped. `append`: ours goes behind it. `replace`: ours goes in its place. `forward`: it stays alone.
 */
export const AGENT_RELAY_MODES = ['discard', 'append', 'replace', 'forward'] as const;
export type AgentRelayMode = (typeof AGENT_RELAY_MODES)[number];

/** One link of clients, as it is to be served. */
export interface LinkSettings {
  /** Its network interface: `Vlan4000`. */
  readonly name: string;
  /** Each of them gets every request. */
  readonly servers: readonly Ipv4[];
  /** The VRF device in which the servers are; `default` for none; undefined: the one that the link is in. */
  readonly serverVrf: string | undefined;
  /** Requests leave from its address; undefined: from the link's own. */
  readonly sourceInterface: string | undefined;
  /** RFC 3527: giaddr is the source interface's address, and the link's own address goes into option 82. */
  readonly linkSelection: boolean;
  /** RFC 5107: clients take us for their server, so that what they send to it alone comes through us, too. */
  readonly serverIdOverride: boolean;
  /** RFC 6607: the name of the link's VRF goes into option 82. */
  readonly vrfSelection: boolean;
  readonly agentRelayMode: AgentRelayMode;
  /** A request that has been through so many relays is dropped: 1 to 16. */
  readonly maxHops: number;
  /** Whether requests of other relays on this link, with their giaddr, are passed on. */
  readonly downstreamRelays: boolean;
}

/** What is to be relayed, and how it is named. */
export interface RelayPlan {
  readonly hostname: string;
  readonly links: readonly LinkSettings[];
  /** Port → what the switch calls it on its front: `Ethernet0` → `Eth1/1`. */
  readonly aliases: ReadonlyMap<string, string>;
}
