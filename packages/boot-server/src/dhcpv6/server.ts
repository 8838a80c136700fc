import { DHCP6_SERVER_PORT, DHCP6_SERVERS_GROUP, PXE_SERVER_PORT } from '@ingot/wire';
import type { Network, UdpSocket } from '@ingot/net';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import { createDhcp6Engine, type Dhcp6EngineComponents } from './engine.ts';
import type { Dhcp6Arrival } from './outcome.ts';
import type { Dhcp6Plan } from './plan.ts';

export interface Dhcp6ServerComponents extends Dhcp6EngineComponents {
  readonly network: Network;
}

/**
 * Listens on port 547: at each own address, where relays send to, and at ff02::1:2 on each own interface. A socket
 * that is bound to the group hears no unicast, and one that is bound to an address no multicast: so every datagram
 * tells how it came. Beside another server port 4011 is asked as well. Rejects with BootServerError LISTEN_FAILED.
 */
export async function startDhcp6Server(components: Dhcp6ServerComponents, plan: Dhcp6Plan): Promise<UdpServer> {
  const { network, log } = components;
  const engine = createDhcp6Engine(components);
  const sockets: UdpSocket[] = [];
  const bind = async (arrival: Dhcp6Arrival, address: string): Promise<void> => {
    const groups =
      arrival.kind === 'multicast' ? [{ address: DHCP6_SERVERS_GROUP, interfaceName: arrival.interfaceName }] : [];
    const port = arrival.kind === 'boot-service' ? PXE_SERVER_PORT : DHCP6_SERVER_PORT;
    const socket = await network.bindUdp({ address, port, groups });
    sockets.push(socket);
    socket.onError((error) => log.warn({ err: error, address }, 'DHCPv6 socket'));
    socket.onBatch((datagrams) => engine.receive(datagrams, arrival, socket));
  };
  const close = async (): Promise<void> => {
    engine.stop();
    await Promise.all(sockets.map((socket) => socket.close()));
  };
  try {
    for (const address of plan.listen) await bind({ kind: 'unicast' }, address);
    if (plan.isBeside) for (const address of plan.listen) await bind({ kind: 'boot-service' }, address);
    for (const interfaceName of plan.interfaces) {
      await bind({ kind: 'multicast', interfaceName }, `${DHCP6_SERVERS_GROUP}%${interfaceName}`);
    }
  } catch (cause) {
    await close();
    throw new BootServerError(BootServerErrorCode.ListenFailed, `DHCPv6: ${wordsOf(cause)}`, cause);
  }
  return { stop: close };
}
