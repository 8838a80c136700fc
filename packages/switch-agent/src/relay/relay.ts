import { ipv4ToNumber, parseIpv4 } from '@ingot/wire';
import type { Clock, InterfaceAddress, Network } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { reasonOf } from '../errors.ts';
import type { OpenClientLink } from './client-link.ts';
import { createReplyForwarder, type Served } from './forward-replies.ts';
import { createRequestForwarder } from './forward-requests.ts';
import type { KernelInterface } from './kernel-interfaces.ts';
import { resolveLink, type RelayLink } from './link.ts';
import type { RelayPlan } from './link-settings.ts';
import { createOffers } from './offers.ts';
import type { PortFinder } from './ports.ts';
import { createReporter, textOfMac } from './reporter.ts';
import { createServerSockets, keyOfPlace, type ServerPlace } from './server-sockets.ts';
import type { Tally } from './tally.ts';

export interface RelayComponents {
  readonly network: Network;
  readonly openClientLink: OpenClientLink;
  readonly interfaceOf: (name: string) => KernelInterface | undefined;
  /** Undefined: it cannot be told now, and is as it was. */
  readonly addresses: () => readonly InterfaceAddress[] | undefined;
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

/** Counters are told to the metrics, and lost packets asked for, every … */
const FLUSH_MS = 1_000;

export function createRelay(components: RelayComponents): Relay {
  const { clock, log, tally } = components;
  const reporter = createReporter(log, clock, tally, components.isTraced);
  const offers = createOffers(clock);
  const served = new Map<string, Served>();
  /** Links by the place at which their answers arrive. */
  let byReceiver = new Map<string, Served[]>();
  let addresses: readonly InterfaceAddress[] = [];
  let ownAddresses: ReadonlySet<number> = new Set();
  const forwardReplies = createReplyForwarder({ offers, reporter });
  const servers = createServerSockets(
    components.network,
    (key, datagrams) => forwardReplies(byReceiver.get(key) ?? [], datagrams),
    (error) => log.warn({ event: 'relay.socket', err: error }, error.message),
  );
  const forwardRequests = createRequestForwarder({
    ...components,
    offers,
    reporter,
    isOwn: (address) => ownAddresses.has(address),
    socketOf: (link) => servers.get(senderOf(link)),
  });
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
        onRequests: (requests) => forwardRequests(entry.link, requests),
        onBroken: (mac) =>
          reporter.refused(name, 'fragment', 'it is in fragments, or cut short', () => ({ mac: textOfMac(mac) })),
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
      addresses = components.addresses() ?? addresses;
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
