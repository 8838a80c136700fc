import { DHCP_SERVER_PORT, IPV4_BROADCAST, type Ipv4 } from '@ingot/wire';
import type { Network, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { DhcpEngine } from './engine.ts';
import { nameNeighbour, robbedBy, type Neighbour } from './neighbours.ts';

export interface DhcpServerComponents {
  readonly network: Network;
  readonly log: Logger;
  readonly engine: DhcpEngine;
  /** Who else has port 67. */
  readonly neighbours: readonly Neighbour[];
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
  const { network, log, engine } = components;
  checkNeighbours(components.neighbours, listen, log);
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
        batch: true,
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
    socket.onBatch((datagrams) => engine.receive(datagrams, address, socket));
  }
  const local = listen.localAddress;
  const localSocket = local === undefined ? undefined : sockets.get(local);
  if (local !== undefined && localSocket !== undefined) {
    const broadcasts = await bind(IPV4_BROADCAST);
    broadcasts.onBatch((datagrams) => engine.receive(datagrams, local, localSocket));
  }
  return {
    stop: async () => {
      await close();
      engine.stop();
    },
  };
}

/** Names the neighbours, and refuses to take their packets away from them. */
function checkNeighbours(neighbours: readonly Neighbour[], listen: DhcpListen, log: Logger): void {
  if (neighbours.length === 0) return;
  log.info(
    { event: 'dhcp.neighbours', neighbours: neighbours.map(nameNeighbour) },
    'other programs on this host have port 67',
  );
  const robbed = robbedBy(listen.addresses, neighbours);
  const [first] = robbed;
  if (first === undefined) return;
  throw new BootServerError(
    BootServerErrorCode.ListenFailed,
    `DHCP: another process has UDP port 67: ${robbed.map(nameNeighbour).join(', ')}. Sharing the address would take its packets away: give the boot server an address of its own, in dhcp.listen and advertiseAddress, on an interface that ${first.program ?? 'it'} does not serve, or stop ${first.program ?? 'it'}`,
  );
}
