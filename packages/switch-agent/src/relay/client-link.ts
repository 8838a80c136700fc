import { DHCP_SERVER_PORT, type Ipv4 } from '@ingot/wire';
import { packetLinks, type Libc, type LinkDatagram, type LinkOutgoing, type Wakeups } from '@ingot/net';
import type { KernelInterface } from './kernel-interfaces.ts';

/** One link's side of the clients. */
export interface ClientLink {
  /** Sends answers from an address of ours, port 67; gives those that the kernel did not take. */
  send(from: Ipv4, replies: readonly LinkOutgoing[]): readonly LinkOutgoing[];
  /** Packets that were lost since the last call, because they came faster than they were read. */
  overruns(): number;
  close(): void;
}

export interface ClientLinkHandlers {
  readonly onRequests: (requests: readonly LinkDatagram[]) => void;
  /** A fragment, or what is no datagram. */
  readonly onBroken: (mac: Uint8Array) => void;
}

/** Throws an Error where the kernel refuses. */
export type OpenClientLink = (kernel: KernelInterface, handlers: ClientLinkHandlers) => ClientLink;

/** Links by packet sockets: below the kernel's own sockets, because a client has no address yet and answers no ARP. */
export function clientLinks(libc: Libc, wakeups: Wakeups): OpenClientLink {
  const links = packetLinks(libc);
  return ({ index, mtu }, { onRequests, onBroken }) => {
    const link = links.open({ interfaceIndex: index, mtu, port: DHCP_SERVER_PORT });
    // Some at a time: other links, and the answers, have their turn in between.
    const release = wakeups.watch(link.fd, () => {
      const requests: LinkDatagram[] = [];
      const taken = link.receive(requests, onBroken);
      if (requests.length > 0) onRequests(requests);
      return taken > 0;
    });
    return {
      send: (from, replies) => link.send({ address: from, port: DHCP_SERVER_PORT }, replies),
      overruns: () => link.overruns(),
      close: () => {
        release();
        link.close();
      },
    };
  };
}
