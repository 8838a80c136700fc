import {
  BootpOp,
  DHCP_SERVER_PORT,
  hex,
  ipv4ToNumber,
  messageTypeName,
  parseIpv4,
  type DhcpOutline,
} from '@ingot/wire';
import type { Clock, Datagram, InterfaceAddress, LinkDatagram, LinkOutgoing, Network, Outgoing } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { reasonOf } from '../errors.ts';
import type { ClientLink, OpenClientLink } from './client-link.ts';
import type { KernelInterface } from './kernel-interfaces.ts';
import { resolveLink, type RelayLink } from './link.ts';
import type { RelayPlan } from './link-settings.ts';
import { createOffers } from './offers.ts';
import type { PortFinder } from './ports.ts';
import { createRefusalLog } from './refusal-log.ts';
import { planReply } from './reply.ts';
import { planRequest, type RequestRules } from './request.ts';
import { createServerSockets, keyOfPlace, type ServerPlace } from './server-sockets.ts';
import type { Refusal, Tally } from './tally.ts';

export interface RelayComponents {
  readonly network: Network;
  readonly openClientLink: OpenClientLink;
  readonly interfaceOf: (name: string) => KernelInterface | undefined;
  readonly addresses: () => readonly InterfaceAddress[];
  readonly ports: PortFinder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tally: Tally;
  readonly circuitId: string;
  readonly remoteId: string;
  /** The longest request with option 82, bytes. */
  readonly maxBytes: number;
  /** Whether each packet is worth a line at level debug. */
  readonly isTraced: boolean;
}

/** A DHCP relay agent for the links of one switch. */
export interface Relay {
  /**
   * Serves the links of a plan, as far as the kernel has what they need; gives why a link is not served, by its name.
   * What has not changed goes on undisturbed. To be called again and again: interfaces come and go.
   */
  apply(plan: RelayPlan): Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
}

interface Served {
  link: RelayLink;
  readonly client: ClientLink;
}

/** Counters are told to the metrics, and lost packets asked for, every … */
const FLUSH_MS = 1_000;

export function createRelay(components: RelayComponents): Relay {
  const { clock, log, tally, ports, isTraced } = components;
  const refusals = createRefusalLog(log, clock);
  const offers = createOffers(clock);
  const served = new Map<string, Served>();
  /** Links by the place at which their answers arrive. */
  let byReceiver = new Map<string, Served[]>();
  let ownAddresses: ReadonlySet<number> = new Set();
  let lastServer: { readonly text: string; readonly parsed: ReturnType<typeof parseIpv4> } | undefined;

  const refused = (link: string, reason: Refusal, why: string, details: () => Record<string, unknown>): void => {
    tally.refused(link, reason);
    refusals.say(link, reason, why, details);
  };
  const trace = (event: string, { settings }: RelayLink, outline: DhcpOutline, details: object): void => {
    const type = outline.messageType === undefined ? 'BOOTP' : messageTypeName(outline.messageType);
    log.debug({ event, link: settings.name, type, xid: outline.xid, ...details }, `${settings.name}: ${type}`);
  };

  const rulesOf = (link: RelayLink): RequestRules => {
    const mayChoose = link.settings.serverIdOverride && link.settings.servers.length > 1;
    return {
      maxBytes: components.maxBytes,
      isOwn: (address) => ownAddresses.has(address),
      chosenServer: (request, data) =>
        mayChoose && request.serverId === link.addressNumber ? offers.serverOf(data, request) : undefined,
    };
  };

  const onRequests = ({ link }: Served, requests: readonly LinkDatagram[]): void => {
    const { name } = link.settings;
    const rules = rulesOf(link);
    const outgoing: Outgoing[] = [];
    for (const { data, source, target, mac } of requests) {
      const arrival = link.targets.get(target.address);
      // On its way to a server, by us as a router.
      if (arrival === undefined) continue;
      // From a server on the clients' own link: it arrives at the servers' socket, too.
      if (data[0] === BootpOp.REPLY && link.settings.servers.some((server) => server === source.address)) continue;
      const { bridge } = link.kernel;
      const port = bridge === undefined ? undefined : ports.portOf(bridge, mac);
      const plan = planRequest(data, { link, port, isUnicast: arrival === 'unicast' }, rules);
      if (plan.kind === 'refuse') {
        refused(name, plan.reason, plan.why, () => ({ mac: textOfMac(mac), port }));
        continue;
      }
      tally.request(name, plan.outline.messageType);
      if (plan.isBare) tally.withoutAgent(name);
      if (isTraced) trace('relay.request', link, plan.outline, { mac: textOfMac(mac), port, servers: plan.servers });
      for (const server of plan.servers)
        outgoing.push({ data: plan.data, target: { address: server, port: DHCP_SERVER_PORT } });
    }
    if (outgoing.length === 0) return;
    servers.get(senderOf(link))?.sendBatch(outgoing, ({ target }, error) => {
      refused(name, 'not-sent', error.message, () => ({ server: target.address }));
    });
  };

  const onReplies = (key: string, datagrams: readonly Datagram[]): void => {
    const candidates = byReceiver.get(key) ?? [];
    const links = candidates.map(({ link }) => link);
    const byLink = new Map<RelayLink, LinkOutgoing[]>();
    for (const { data, source } of datagrams) {
      // Answers come from one server for ever, or from two.
      if (source.address !== lastServer?.text) lastServer = { text: source.address, parsed: parseIpv4(source.address) };
      const server = lastServer.parsed;
      if (!server.ok) continue;
      const plan = planReply(data, ipv4ToNumber(server.value), links);
      if (plan.kind === 'ignore') continue;
      if (plan.kind === 'refuse') {
        const name = links.length === 1 ? (links[0]?.settings.name ?? '') : '';
        refused(name, plan.reason, plan.why, () => ({ server: source.address }));
        continue;
      }
      const { link, outline, reply } = plan;
      tally.reply(link.settings.name, outline.messageType);
      if (isTraced)
        trace('relay.reply', link, outline, {
          server: source.address,
          mac: textOfMac(reply.mac),
          to: reply.target.address,
        });
      if (link.settings.serverIdOverride && link.settings.servers.length > 1)
        offers.remember(data, outline, server.value);
      const replies = byLink.get(link);
      if (replies === undefined) byLink.set(link, [reply]);
      else replies.push(reply);
    }
    for (const { link, client } of candidates) {
      const replies = byLink.get(link);
      if (replies === undefined) continue;
      for (const { mac } of client.send(link.address, replies))
        refused(link.settings.name, 'reply-not-sent', 'the kernel does not take the answer', () => ({
          mac: textOfMac(mac),
        }));
    }
  };

  const servers = createServerSockets(components.network, onReplies, (error) =>
    log.warn({ event: 'relay.socket', err: error }, error.message),
  );
  const timer = clock.setInterval(() => {
    for (const { link, client } of served.values()) tally.overrun(link.settings.name, client.overruns());
    tally.flush();
  }, FLUSH_MS);

  const open = (link: RelayLink): void => {
    const { name } = link.settings;
    const known = served.get(name);
    if (known !== undefined && isSameInterface(known.link.kernel, link.kernel)) {
      known.link = link;
      return;
    }
    if (known !== undefined) close(name, known);
    const entry: Served = {
      link,
      client: components.openClientLink(link.kernel, {
        onRequests: (requests) => onRequests(entry, requests),
        onBroken: (mac) =>
          refused(name, 'fragment', 'it is in fragments, or cut short', () => ({ mac: textOfMac(mac) })),
      }),
    };
    served.set(name, entry);
    log.info(
      { event: 'relay.link', link: name, giaddr: link.giaddr, servers: link.settings.servers },
      `${name}: DHCP is relayed to ${link.settings.servers.join(', ')}`,
    );
  };
  const close = (name: string, { client }: Served): void => {
    client.close();
    served.delete(name);
    log.info({ event: 'relay.link-gone', link: name }, `${name}: DHCP is not relayed any more`);
  };

  return {
    apply: async (plan) => {
      const addresses = components.addresses();
      ownAddresses = new Set(
        addresses.flatMap(({ address }) => {
          const parsed = parseIpv4(address);
          return parsed.ok ? [ipv4ToNumber(parsed.value)] : [];
        }),
      );
      const failed = new Map<string, string>();
      const links: RelayLink[] = [];
      for (const settings of plan.links) {
        const link = resolveLink(settings, { ...components, ...plan, addresses });
        if (typeof link === 'string') failed.set(settings.name, link);
        else links.push(link);
      }
      const places = links.flatMap((link) => [senderOf(link), receiverOf(link)]);
      const closed = await servers.want(places);
      for (const link of links) {
        const why = [senderOf(link), receiverOf(link)].map((place) => closed.get(keyOfPlace(place))).find(Boolean);
        if (why !== undefined) failed.set(link.settings.name, why);
      }
      const usable = links.filter(({ settings }) => !failed.has(settings.name));
      for (const [name, entry] of served)
        if (!usable.some(({ settings }) => settings.name === name)) close(name, entry);
      for (const link of usable) {
        try {
          open(link);
        } catch (error) {
          failed.set(link.settings.name, packetSocketReason(error));
        }
      }
      byReceiver = new Map();
      for (const entry of served.values()) {
        const key = keyOfPlace(receiverOf(entry.link));
        byReceiver.set(key, [...(byReceiver.get(key) ?? []), entry]);
      }
      tally.links(served.size, failed.size);
      return failed;
    },
    stop: async () => {
      timer.cancel();
      for (const { client } of served.values()) client.close();
      served.clear();
      byReceiver.clear();
      await servers.close();
      tally.flush();
    },
  };
}

function senderOf({ source, serverDevice }: RelayLink): ServerPlace {
  return { address: source, device: serverDevice };
}

function receiverOf({ giaddr, serverDevice }: RelayLink): ServerPlace {
  return { address: giaddr, device: serverDevice };
}

function isSameInterface(a: KernelInterface, b: KernelInterface): boolean {
  return a.index === b.index && a.mtu === b.mtu;
}

function packetSocketReason(error: unknown): string {
  const reason = reasonOf(error);
  return reason.endsWith('errno 1') ? `${reason}: a packet socket takes CAP_NET_RAW` : reason;
}

function textOfMac(mac: Uint8Array): string {
  return hex(mac, ':');
}
