import { DHCP_SERVER_PORT, IPV4_BROADCAST, MessageType, type Ipv4 } from '@ingot/wire';
import type { Datagram, Network, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootMetrics } from '../metrics.ts';
import type { DhcpOutcome, DhcpResponder } from './responder.ts';

export interface DhcpServerComponents {
  readonly network: Network;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly respond: DhcpResponder;
  /** A machine asked for a boot. Must not block: the offer does not wait for it. */
  readonly onBootRequest: (mac: string, uuid: string) => void;
}

export interface DhcpListen {
  /** Own addresses, each on its link. Relays send to them. */
  readonly addresses: readonly Ipv4[];
  /** The own address on the one link whose clients are served without a relay. */
  readonly localAddress: Ipv4 | undefined;
  /** Bind although another program has port 67 too: beside a DHCP server on the same host. */
  readonly shared: boolean;
}

export interface UdpServer {
  stop(): Promise<void>;
}

/**
 * Listens on port 67. Every own address has its socket, because on Linux a broadcast leaves by the interface of the
 * address that its socket is bound to. Broadcasts of local clients arrive at none of these, but at a socket bound to
 * 255.255.255.255, which hears them beside other DHCP servers too; it does not tell the interface, so only one link
 * can be served without a relay. Rejects with BootServerError LISTEN_FAILED.
 */
export async function startDhcpServer(components: DhcpServerComponents, listen: DhcpListen): Promise<UdpServer> {
  const { network, log } = components;
  const sockets = new Map<string, UdpSocket>();
  const close = async (): Promise<void> => {
    await Promise.all([...sockets.values()].map((socket) => socket.close()));
  };
  const bind = async (address: Ipv4): Promise<UdpSocket> => {
    try {
      const socket = await network.bindUdp({
        address,
        port: DHCP_SERVER_PORT,
        broadcast: true,
        reuseAddress: listen.shared,
      });
      sockets.set(address, socket);
      socket.onError((error) => log.warn({ err: error, address }, 'DHCP socket'));
      return socket;
    } catch (cause) {
      await close();
      throw new BootServerError(
        BootServerErrorCode.ListenFailed,
        `DHCP: ${cause instanceof Error ? cause.message : String(cause)}. ISC dhcpd can share the address (mode: proxy); Kea and dnsmasq cannot: give the boot server an address of its own`,
        cause,
      );
    }
  };
  for (const address of listen.addresses) {
    const socket = await bind(address);
    socket.onDatagram((datagram) => receive(components, datagram, address, socket));
  }
  const local = listen.localAddress;
  const localSocket = local === undefined ? undefined : sockets.get(local);
  if (local !== undefined && localSocket !== undefined) {
    const broadcasts = await bind(IPV4_BROADCAST);
    broadcasts.onDatagram((datagram) => receive(components, datagram, local, localSocket));
  }
  return { stop: close };
}

function receive(components: DhcpServerComponents, datagram: Datagram, receivedAt: Ipv4, socket: UdpSocket): void {
  const { log, metrics } = components;
  let outcome: DhcpOutcome;
  try {
    outcome = components.respond(datagram.data, datagram.source, receivedAt);
  } catch (error) {
    // A full disk shows here; the next packet may be luckier.
    metrics.drop('dhcp', 'internal');
    log.error({ err: error, source: datagram.source.address }, 'a DHCP packet could not be answered');
    return;
  }
  const { request } = outcome;
  const who = { mac: request?.mac, uuid: request?.boot.uuid, giaddr: request?.packet.giaddr };
  switch (outcome.kind) {
    case 'drop':
      metrics.drop('dhcp', outcome.reason);
      if (LOUD.has(outcome.reason)) log.warn({ ...who, reason: outcome.reason }, `no DHCP answer: ${outcome.detail}`);
      else
        log.debug(
          { ...who, reason: outcome.reason, source: datagram.source.address },
          `no DHCP answer: ${outcome.detail}`,
        );
      return;
    case 'done':
      log.info({ ...who, event: `dhcp.${outcome.what}` }, `address ${outcome.what}`);
      return;
    case 'reply': {
      const { boot, target } = outcome;
      const loads = boot.kind === 'ignore' ? undefined : boot.kind === 'chain-tftp' ? boot.path : boot.url;
      socket.send(outcome.data, target).catch((error: unknown) => {
        metrics.drop('dhcp', 'send-failed');
        log.warn({ ...who, err: error, target: target.address }, 'a DHCP answer could not be sent');
      });
      metrics.stage(`dhcp.${outcome.reply}`);
      log.info(
        { ...who, event: `dhcp.${outcome.reply}`, address: outcome.address, boot: boot.kind, loads },
        `DHCP ${outcome.reply}`,
      );
      if (outcome.request.type === MessageType.DISCOVER && boot.kind !== 'ignore' && who.uuid !== undefined) {
        components.onBootRequest(outcome.request.mac, who.uuid);
      }
      return;
    }
    default:
      return outcome satisfies never;
  }
}

/** What an operator has to mend; all else is other people's traffic. */
const LOUD: ReadonlySet<string> = new Set([
  'unknown-relay',
  'unknown-network',
  'pool-exhausted',
  'no-binary',
  'unknown-architecture',
  'reply-too-large',
]);
