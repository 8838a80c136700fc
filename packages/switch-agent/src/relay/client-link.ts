import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, type Ipv4 } from '@ingot/wire';
import {
  fragmentsOf,
  packetLinks,
  udpPacket,
  type Entropy,
  type Libc,
  type LinkDatagram,
  type LinkPacket,
  type Wakeups,
} from '@ingot/net';
import type { KernelInterface } from './kernel-interfaces.ts';
import type { ReplyTarget } from './reply.ts';

/** An answer on its way to a client. */
export interface ClientReply {
  readonly target: ReplyTarget;
  readonly data: Uint8Array;
}

/** One link's side of the clients. */
export interface ClientLink {
  /** Sends answers from an address of ours, port 67, to the clients' port; gives those that the kernel did not take. */
  send(from: Ipv4, replies: readonly ClientReply[]): readonly ClientReply[];
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

/** Requests that are taken from one link before the others have their turn: some milliseconds of work. */
const REQUESTS_A_TURN = 1_024;

/** Links by packet sockets: below the kernel's own sockets, because a client has no address yet and answers no ARP. */
export function clientLinks(libc: Libc, wakeups: Wakeups, entropy: Entropy): OpenClientLink {
  const links = packetLinks(libc);
  return ({ index, mtu }, { onRequests, onBroken }) => {
    const link = links.open(index, DHCP_SERVER_PORT);
    const release = wakeups.watch(link.fd, () => {
      for (let read = 0; read < REQUESTS_A_TURN;) {
        const requests: LinkDatagram[] = [];
        const mayBeMore = link.receive(requests, onBroken);
        read += requests.length + 1;
        if (requests.length > 0) onRequests(requests);
        if (!mayBeMore) return false;
      }
      return true;
    });
    return {
      send: (from, replies) => {
        const source = { address: from, port: DHCP_SERVER_PORT };
        const packets: LinkPacket[] = [];
        const origins: ClientReply[] = [];
        for (const reply of replies) {
          const { address, mac } = reply.target;
          const whole = udpPacket(source, { address, port: DHCP_CLIENT_PORT }, reply.data);
          // A packet socket cuts nothing.
          const parts = whole.byteLength <= mtu ? [whole] : fragmentsOf(whole, mtu, entropy.int(0x1_0000));
          for (const packet of parts) {
            packets.push({ mac, packet });
            origins.push(reply);
          }
        }
        const failed = new Set<ClientReply>();
        for (let next = 0; next < packets.length;) {
          next += link.send(packets.slice(next)).taken;
          const refused = origins[next];
          if (refused !== undefined) failed.add(refused);
          next += 1;
        }
        return [...failed];
      },
      overruns: () => link.overruns(),
      close: () => {
        release();
        link.close();
      },
    };
  };
}
