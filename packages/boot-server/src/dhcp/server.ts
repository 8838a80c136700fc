import { DHCP_SERVER_PORT, IPV4_ANY, IPV4_BROADCAST, parseIpv4, type Ipv4 } from '@ingot/wire';
import { NetError, NetErrorCode, type Clock, type FrameSocket, type Network, type UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import { captureReplies, startCapture, type CaptureSockets } from './capture.ts';
import { clientLink, type ClientLink } from './client-link.ts';
import type { DhcpEngine } from './engine.ts';
import { nameNeighbour, robbedBy, type Neighbour } from './neighbours.ts';

export interface DhcpServerComponents {
  readonly network: Network;
  readonly log: Logger;
  readonly engine: DhcpEngine;
  /** Whether an address is in one of the networks that are answered for. */
  readonly isServed: (address: Ipv4) => boolean;
  /** Reaches clients of own links that have no address yet; undefined: by broadcast. */
  readonly frames?: FrameSocket | undefined;
  /** Undefined: sockets of our own on port 67. */
  readonly capture?: CaptureSockets | undefined;
  readonly clock: Clock;
  readonly metrics: BootMetrics;
  /** Who else has port 67. */
  readonly neighbours: readonly Neighbour[];
}

export interface DhcpListen {
  /** Own addresses, each on its link. Relays send to them. */
  readonly addresses: readonly Ipv4[];
  /** Own interfaces: all that arrives there is heard, and answered from there. */
  readonly interfaces: readonly string[];
  /** The own address on the one link whose clients are served without a relay. */
  readonly localAddress: Ipv4 | undefined;
  /** Bind although another program has port 67 too: beside a DHCP server on the same host. */
  readonly shared: boolean;
}

/**
 * Listens on port 67. Every own address has its socket, because on Linux a broadcast leaves by the interface of the
 * address that its socket is bound to. Broadcasts of local clients arrive at none of these, but at a socket bound to
 * 255.255.255.255, which hears them beside other DHCP servers too; it does not tell the interface, so only one link
 * can be served without a relay. Rejects with BootServerError LISTEN_FAILED.
 */
export async function startDhcpServer(components: DhcpServerComponents, listen: DhcpListen): Promise<UdpServer> {
  const { network, log, engine, capture } = components;
  if (capture !== undefined) return startBelow({ ...components, capture }, listen);
  checkNeighbours(components.neighbours, listen, log);
  const sockets = new Map<string, UdpSocket>();
  const close = async (): Promise<void> => {
    await Promise.all([...sockets.values()].map((socket) => socket.close()));
  };
  // A socket for all addresses of one interface stands in the way of one for a single address, and the reverse.
  const reuseAddress = listen.shared || (listen.interfaces.length > 0 && listen.addresses.length > 0);
  const bind = async (address: Ipv4, name?: string): Promise<UdpSocket> => {
    try {
      const socket = await network.bindUdp({
        address,
        port: DHCP_SERVER_PORT,
        broadcast: true,
        reuseAddress,
        ...(name === undefined ? {} : { interface: name }),
        batch: true,
      });
      sockets.set(name ?? address, socket);
      socket.onError((error) => log.warn({ err: error, address, interface: name }, 'DHCP socket'));
      return socket;
    } catch (cause) {
      await close();
      throw new BootServerError(
        BootServerErrorCode.ListenFailed,
        `DHCP: ${wordsOf(cause)}${isTaken(cause) ? ". ISC dhcpd can share the address (mode: proxy); beside Kea and dnsmasq it takes dhcp.capture: true, or an address of the boot server's own" : ''}`,
        cause,
      );
    }
  };
  const linkOf = (own: Ipv4, name?: string): ClientLink | undefined =>
    components.frames && clientLink(components.frames, own, name);
  for (const address of listen.addresses) {
    const socket = await bind(address);
    socket.onBatch((datagrams) => engine.receive(datagrams, address, socket));
  }
  for (const name of listen.interfaces) {
    const socket = await bind(IPV4_ANY, name);
    const own = addressOn(network, name, components.isServed);
    if (own === undefined) {
      await close();
      throw noAddress(name);
    }
    const link = linkOf(own, name);
    socket.onBatch((datagrams) => engine.receive(datagrams, own, socket, link));
  }
  const local = listen.localAddress;
  const localSocket = local === undefined ? undefined : sockets.get(local);
  if (local !== undefined && localSocket !== undefined) {
    const broadcasts = await bind(IPV4_BROADCAST);
    const link = linkOf(local);
    broadcasts.onBatch((datagrams) => engine.receive(datagrams, local, localSocket, link));
  }
  return {
    stop: async () => {
      await close();
      engine.stop();
    },
  };
}

/** Hears and answers below the sockets of another server, from which it takes nothing. */
function startBelow(
  components: DhcpServerComponents & { readonly capture: CaptureSockets },
  listen: DhcpListen,
): UdpServer {
  const { network, log, engine, capture, neighbours } = components;
  if (neighbours.length > 0) tellNeighbours(neighbours, log);
  const links = capture.links.map((link) => {
    const { name } = link;
    const listening = network.interfaceAddresses(name).find((text) => listen.addresses.some((own) => own === text));
    const parsed = listening === undefined ? undefined : parseIpv4(listening);
    const own = parsed?.ok === true ? parsed.value : addressOn(network, name, components.isServed);
    if (own === undefined) throw noAddress(name);
    return { own, replies: captureReplies(capture, link, own) };
  });
  const thread = startCapture({
    ...components,
    sockets: capture,
    addresses: new Set([...listen.addresses, ...links.map(({ own }) => own)]),
    onDatagrams: (index, datagrams) => {
      const link = links[index];
      if (link !== undefined) engine.receive(datagrams, link.own, link.replies);
    },
  });
  log.info(
    { event: 'dhcp.capture', interfaces: capture.links.map(({ name }) => name) },
    'DHCP is heard below the sockets of other programs',
  );
  return {
    stop: async () => {
      await thread.stop();
      engine.stop();
    },
  };
}

function noAddress(interfaceName: string): BootServerError {
  return new BootServerError(
    BootServerErrorCode.ListenFailed,
    `DHCP: interface ${interfaceName} has no IPv4 address: give it one, or take it out of dhcp.interfaces`,
  );
}

function isTaken(error: unknown): boolean {
  return error instanceof NetError && error.code === NetErrorCode.AddressInUse;
}

function tellNeighbours(neighbours: readonly Neighbour[], log: Logger): void {
  log.info(
    { event: 'dhcp.neighbours', neighbours: neighbours.map(nameNeighbour) },
    'other programs on this host have port 67',
  );
}

/** The interface's address by which the network of its clients is known: relays alone may be behind the first one. */
function addressOn(network: Network, name: string, isServed: (address: Ipv4) => boolean): Ipv4 | undefined {
  const addresses = network.interfaceAddresses(name).flatMap((text) => {
    const parsed = parseIpv4(text);
    return parsed.ok ? [parsed.value] : [];
  });
  return addresses.find(isServed) ?? addresses[0];
}

/** Names the neighbours, and refuses to take their packets away from them. */
function checkNeighbours(neighbours: readonly Neighbour[], listen: DhcpListen, log: Logger): void {
  if (neighbours.length === 0) return;
  tellNeighbours(neighbours, log);
  const robbed = robbedBy(listen, neighbours);
  const [first] = robbed;
  if (first === undefined) return;
  throw new BootServerError(
    BootServerErrorCode.ListenFailed,
    `DHCP: another process has UDP port 67: ${robbed.map(nameNeighbour).join(', ')}. Sharing the address would take its packets away: in mode proxy set dhcp.capture: true, or give the boot server an address of its own, in dhcp.listen and advertiseAddress, on an interface that ${first.program ?? 'it'} does not serve, or stop ${first.program ?? 'it'}`,
  );
}
