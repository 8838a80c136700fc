import { endianness } from 'node:os';
import type { Libc } from './libc.ts';
import { netlinkAttributes, NLM_F_DUMP, NLM_F_REQUEST, openNetlink } from './netlink.ts';

const NETLINK_ROUTE = 0;
const AF_INET = 2;
const AF_BRIDGE = 7;
const RTM_GETADDR = 22;
const RTM_GETNEIGH = 30;
/** struct ifaddrmsg */
const ADDRESS_MESSAGE_BYTES = 8;
const IFA_LOCAL = 2;
const IFA_F_SECONDARY = 0x01;
/** struct ndmsg */
const NEIGHBOUR_MESSAGE_BYTES = 12;
const NDA_LLADDR = 2;
const NDA_VLAN = 5;
const NDA_MASTER = 9;
const MAC_BYTES = 6;
const IS_LITTLE = endianness() === 'LE';

export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly prefixLength: number;
  /** Another one of the same subnet is there before it. */
  readonly isSecondary: boolean;
}

/** What the kernel knows of its interfaces, by rtnetlink(7). Takes no privilege. */
export interface KernelLinks {
  /** The IPv4 addresses of all interfaces, also of those that are down or have no cable; undefined: ask again. */
  addresses(): InterfaceAddress[] | undefined;
  /**
   * Index of the port behind which a bridge has seen a hardware address (6 bytes); undefined where it has not.
   * `vlan` 0: a bridge that filters no VLANs.
   */
  bridgePort(bridgeIndex: number, mac: Uint8Array, vlan: number): number | undefined;
  close(): void;
}

/** Undefined where the kernel has no netlink. */
export function openKernelLinks(libc: Libc): KernelLinks | undefined {
  const socket = openNetlink(libc, NETLINK_ROUTE);
  if (socket === undefined) return undefined;
  return {
    addresses: () => {
      const question = new Uint8Array(ADDRESS_MESSAGE_BYTES);
      question[0] = AF_INET;
      return socket.ask(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, question)?.flatMap((message): InterfaceAddress[] => {
        if (message.byteLength < ADDRESS_MESSAGE_BYTES) return [];
        const local = netlinkAttributes(message, ADDRESS_MESSAGE_BYTES).get(IFA_LOCAL);
        if (message.getUint8(0) !== AF_INET || local?.length !== 4) return [];
        return [
          {
            interfaceIndex: message.getUint32(4, IS_LITTLE),
            address: local.join('.'),
            prefixLength: message.getUint8(1),
            isSecondary: (message.getUint8(2) & IFA_F_SECONDARY) !== 0,
          },
        ];
      });
    },
    bridgePort: (bridgeIndex, mac, vlan) => {
      const question = new Uint8Array(NEIGHBOUR_MESSAGE_BYTES + 12 + 8 + (vlan === 0 ? 0 : 8));
      const view = new DataView(question.buffer);
      question[0] = AF_BRIDGE;
      attribute(view, NEIGHBOUR_MESSAGE_BYTES, NDA_LLADDR, MAC_BYTES);
      question.set(mac.subarray(0, MAC_BYTES), NEIGHBOUR_MESSAGE_BYTES + 4);
      attribute(view, NEIGHBOUR_MESSAGE_BYTES + 12, NDA_MASTER, 4);
      view.setUint32(NEIGHBOUR_MESSAGE_BYTES + 16, bridgeIndex, IS_LITTLE);
      if (vlan !== 0) {
        attribute(view, NEIGHBOUR_MESSAGE_BYTES + 20, NDA_VLAN, 2);
        view.setUint16(NEIGHBOUR_MESSAGE_BYTES + 24, vlan, IS_LITTLE);
      }
      const [answer] = socket.ask(RTM_GETNEIGH, NLM_F_REQUEST, question) ?? [];
      if (answer === undefined || answer.byteLength < NEIGHBOUR_MESSAGE_BYTES) return undefined;
      const port = answer.getUint32(4, IS_LITTLE);
      // The bridge's own address is behind no port.
      return port === bridgeIndex ? undefined : port;
    },
    close: () => socket.close(),
  };
}

/** struct rtattr without its value. */
function attribute(view: DataView, at: number, type: number, valueBytes: number): void {
  view.setUint16(at, 4 + valueBytes, IS_LITTLE);
  view.setUint16(at + 2, type, IS_LITTLE);
}
