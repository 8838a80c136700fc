import { endianness } from 'node:os';
import type { Datagram, Endpoint } from '../udp.ts';
import { openCapture, readUdpPacket } from './capture.ts';
import type { Libc } from './libc.ts';

const AF_PACKET = 17;
const ETH_P_IP = 0x0800;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
/** sll_pkttype: for another host, heard because the interface is promiscuous. */
const PACKET_OTHERHOST = 3;
/** struct sockaddr_ll: family, protocol, index, hardware type, packet type, length of the address, address. */
const ADDRESS_BYTES = 20;
const PACKET_TYPE_OFFSET = 10;
const MAC_OFFSET = 12;
const MAC_BYTES = 6;
const MSG_DONTWAIT = 0x40;
const ENETDOWN = 100;
const EMSGSIZE = 90;
const IS_LITTLE = endianness() === 'LE';
const SLOTS = 64;
/** The longest frame of a switch port (MTU 9,216), and to spare; the kernel only ever touches pages that packets fill. */
const SLOT_BYTES = 16_384;
/** struct mmsghdr in 32-bit words, as 64-bit Linux has it. */
const MESSAGE_WORDS = 16;
const NAME_LENGTH_WORD = 2;
const LENGTH_WORD = 14;

/** A UDP datagram as it came over a link. */
export interface LinkDatagram extends Datagram {
  /** What its IP header says. */
  readonly target: Endpoint;
  /** Hardware address of the frame's sender, 6 bytes. */
  readonly mac: Uint8Array;
}

/** An IPv4 packet for a hardware address (6 bytes). */
export interface LinkPacket {
  readonly mac: Uint8Array;
  readonly packet: Uint8Array;
}

/** One link below the sockets, by packet(7): hears UDP to one port, and sends to hardware addresses without ARP. */
export interface PacketLink {
  readonly fd: number;
  /**
   * Reads some of what waits, and says whether there may be more. What is no whole datagram goes to `onBroken`: the
   * first fragment of one, say.
   */
  receive(into: LinkDatagram[], onBroken: (mac: Uint8Array) => void): boolean;
  /** Sends in order; gives how many the kernel took, and why not more: the name of errno. */
  send(packets: readonly LinkPacket[]): { readonly taken: number; readonly errno: number };
  /** How many the kernel has dropped since the last call, because nobody read them in time. */
  overruns(): number;
  close(): void;
}

/** Opens links; one set of buffers serves them all, for it is in use during a call only. */
export interface PacketLinks {
  /** Throws an Error with the number of errno; it takes CAP_NET_RAW. */
  open(interfaceIndex: number, port: number): PacketLink;
}

export function packetLinks(libc: Libc): PacketLinks {
  const inbound = createRing(libc);
  const outbound = createRing(libc);
  const outboundAddresses = new DataView(outbound.addresses.buffer);
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const address = slot * ADDRESS_BYTES;
    outboundAddresses.setUint16(address, AF_PACKET, IS_LITTLE);
    outboundAddresses.setUint16(address + 2, ETH_P_IP);
    outboundAddresses.setUint8(address + MAC_OFFSET - 1, MAC_BYTES);
  }
  const sendSome = (fd: number, interfaceIndex: number, packets: readonly LinkPacket[], from: number): number => {
    const count = Math.min(SLOTS, packets.length - from);
    for (let slot = 0; slot < count; slot += 1) {
      const each = packets[from + slot];
      if (each === undefined || each.packet.length > SLOT_BYTES) return 0;
      outbound.data.set(each.packet, slot * SLOT_BYTES);
      outbound.vectors[slot * 2 + 1] = BigInt(each.packet.length);
      outboundAddresses.setInt32(slot * ADDRESS_BYTES + 4, interfaceIndex, IS_LITTLE);
      outbound.addresses.set(each.mac.subarray(0, MAC_BYTES), slot * ADDRESS_BYTES + MAC_OFFSET);
    }
    return libc.sendmmsg(fd, outbound.messages, count, MSG_DONTWAIT);
  };
  const receive = (fd: number, into: LinkDatagram[], onBroken: (mac: Uint8Array) => void): boolean => {
    const count = libc.recvmmsg(fd, inbound.messages, SLOTS, MSG_DONTWAIT);
    for (let slot = 0; slot < count; slot += 1) {
      const address = slot * ADDRESS_BYTES;
      const mac = inbound.addresses.slice(address + MAC_OFFSET, address + MAC_OFFSET + MAC_BYTES);
      const length = inbound.words[slot * MESSAGE_WORDS + LENGTH_WORD] ?? 0;
      // The kernel writes how much of the address it used.
      inbound.words[slot * MESSAGE_WORDS + NAME_LENGTH_WORD] = ADDRESS_BYTES;
      if (inbound.addresses[address + PACKET_TYPE_OFFSET] === PACKET_OTHERHOST) continue;
      const datagram = readUdpPacket(inbound.data.slice(slot * SLOT_BYTES, slot * SLOT_BYTES + length));
      if (datagram === undefined) onBroken(mac);
      else into.push({ ...datagram, mac });
    }
    // A call is first told of an error of before: an interface that was down.
    return count === SLOTS || (count < 0 && libc.errno() === ENETDOWN);
  };
  return {
    open: (interfaceIndex, port) => {
      const fd = openCapture(libc, interfaceIndex, port);
      return {
        fd,
        receive: (into, onBroken) => receive(fd, into, onBroken),
        send: (packets) => {
          let taken = 0;
          while (taken < packets.length) {
            const some = sendSome(fd, interfaceIndex, packets, taken);
            if (some <= 0) return { taken, errno: some < 0 ? libc.errno() : EMSGSIZE };
            taken += some;
          }
          return { taken, errno: 0 };
        },
        overruns: () => {
          // struct tpacket_stats: packets, drops; the kernel starts again at 0.
          const statistics = new Uint8Array(8);
          if (libc.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics) !== 0) return 0;
          return new Uint32Array(statistics.buffer)[1] ?? 0;
        },
        close: () => void libc.close(fd),
      };
    },
  };
}

interface Ring {
  readonly messages: Uint8Array;
  readonly words: Uint32Array;
  readonly addresses: Uint8Array;
  readonly vectors: BigUint64Array;
  readonly data: Uint8Array;
}

/** Message headers that point at their slots, for good. */
function createRing(libc: Libc): Ring {
  const messages = new Uint8Array(SLOTS * MESSAGE_WORDS * 4);
  const words = new Uint32Array(messages.buffer);
  const pointers = new BigUint64Array(messages.buffer);
  const addresses = new Uint8Array(SLOTS * ADDRESS_BYTES);
  const vectors = new BigUint64Array(SLOTS * 2);
  const data = new Uint8Array(SLOTS * SLOT_BYTES);
  const [addressesAt = 0n, vectorsAt = 0n, dataAt = 0n] = [addresses, new Uint8Array(vectors.buffer), data].map(
    (buffer) => libc.addressOf(buffer),
  );
  for (let slot = 0; slot < SLOTS; slot += 1) {
    vectors[slot * 2] = dataAt + BigInt(slot * SLOT_BYTES);
    vectors[slot * 2 + 1] = BigInt(SLOT_BYTES);
    const at = (slot * MESSAGE_WORDS) / 2;
    pointers[at] = addressesAt + BigInt(slot * ADDRESS_BYTES);
    words[slot * MESSAGE_WORDS + NAME_LENGTH_WORD] = ADDRESS_BYTES;
    pointers[at + 2] = vectorsAt + BigInt(slot * 16);
    pointers[at + 3] = 1n;
  }
  return { messages, words, addresses, vectors, data };
}
