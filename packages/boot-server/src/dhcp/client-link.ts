import { networkInterfaces } from 'node:os';
import { bytesOfMac, DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type Ipv4, type Mac } from '@ingot/wire';
import { indexOfInterface, openFrames, udpPacket, type FrameSocket, type Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { DhcpConfig } from '../config/dhcp.ts';

/** An own link, on which a client can be reached that has no address yet. */
export interface ClientLink {
  /** Sends a reply to the client's port; false where that did not work. */
  send(mac: Mac, address: Ipv4, data: Uint8Array): boolean;
}

/** The link of an own address; undefined where that is on no interface. `interfaceName`: where it is known. */
export function clientLink(frames: FrameSocket, own: Ipv4, interfaceName?: string): ClientLink | undefined {
  const name = interfaceName ?? interfaceOf(own);
  if (name === undefined) return undefined;
  let index = indexOfInterface(name);
  return {
    send: (mac, address, data) => {
      const packet = udpPacket({ address: own, port: DHCP_SERVER_PORT }, { address, port: DHCP_CLIENT_PORT }, data);
      if (index !== undefined && frames.send(index, bytesOfMac(mac), packet)) return true;
      // An interface that was made anew has another.
      index = indexOfInterface(name);
      return false;
    },
  };
}

/** A socket for frames where that is wanted and allowed; says in `dhcp.unicast` which it is. */
export function chooseFrames(components: {
  readonly config: DhcpConfig;
  readonly libc: Libc | undefined;
  readonly log: Logger;
}): FrameSocket | undefined {
  const { config, libc, log } = components;
  if (config.unicast === 'never') return undefined;
  const frames = libc && openFrames(libc);
  log.info(
    { event: 'dhcp.unicast', by: frames === undefined ? 'broadcast' : 'frame' },
    frames === undefined
      ? 'clients of the own links that have no address yet are answered by broadcast: a unicast takes CAP_NET_RAW'
      : 'clients of the own links that have no address yet are answered by unicast, if they do not ask for a broadcast',
  );
  return frames;
}

/** Name of the interface that has an own address. */
export function interfaceOf(own: string): string | undefined {
  // A label is no interface: `eth0:1`.
  return Object.entries(networkInterfaces())
    .find(([, addresses = []]) => addresses.some(({ address }) => address === own))?.[0]
    .replace(/:.*$/, '');
}
