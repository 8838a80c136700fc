import { endianness } from 'node:os';
import type { Datagram, Endpoint } from '../udp.ts';
import { openCapture, readUdpPacket } from './capture.ts';
import type { Libc } from './libc.ts';
import { fragmentsOf, udpPacket, udpPacketLength, writeUdpPacket } from './udp-packet.ts';

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

/** A UDP datagram for a hardware address (6 bytes). */
export interface LinkOutgoing {
  readonly mac: Uint8Array;
  readonly target: Endpoint;
  readonly data: Uint8Array;
}

/** One link below the sockets, by packet(7): hears UDP to one port, and sends to hardware addresses without ARP. */
export interface PacketLink {
  readonly fd: number;
  /**
   * Reads some of what waits, and gives how many packets it took: 0 when there were none. What is no whole datagram goes
   * to `onBroken`: the first fragment of one, say.
   */
  receive(into: LinkDatagram[], onBroken: (mac: Uint8Array) => void): number;
  /**
   * Sends from an address of ours, in order, in fragments what is longer than the link takes. Gives those that the
   * kernel did not take.
   */
  send(source: Endpoint, datagrams: readonly LinkOutgoing[]): readonly LinkOutgoing[];
  /** How many the kernel has dropped since the last call, because nobody read them in time. */
  overruns(): number;
  close(): void;
}

export interface PacketLinkOptions {
  readonly interfaceIndex: number;
  /** The longest IP packet, bytes; at most `SLOT_BYTES`. */
  readonly mtu: number;
  /** The port that is heard. */
  readonly port: number;
}

/** Opens links; one set of buffers serves them all, for it is in use during a call only. */
export interface PacketLinks {
  /** Throws an Error with the number of errno; it takes CAP_NET_RAW. */
  open(options: PacketLinkOptions): PacketLink;
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
  /** What stands in the slots, and for whom. */
  const queued: LinkOutgoing[] = [];
  const address = (slot: number, interfaceIndex: number, mac: Uint8Array, bytes: number): void => {
    outbound.vectors[slot * 2 + 1] = BigInt(bytes);
    outboundAddresses.setInt32(slot * ADDRESS_BYTES + 4, interfaceIndex, IS_LITTLE);
    for (let index = 0; index < MAC_BYTES; index += 1)
      outbound.addresses[slot * ADDRESS_BYTES + MAC_OFFSET + index] = mac[index] ?? 0;
  };
  const flush = (fd: number, failed: Set<LinkOutgoing>): void => {
    let first = 0;
    while (first < queued.length) {
      const messages = first === 0 ? outbound.messages : outbound.messages.subarray(first * MESSAGE_WORDS * 4);
      const taken = libc.sendmmsg(fd, messages, queued.length - first, MSG_DONTWAIT);
      first += Math.max(0, taken);
      const refused = taken > 0 ? undefined : queued[first];
      if (refused === undefined) continue;
      failed.add(refused);
      first += 1;
    }
    queued.length = 0;
  };
  const send = (
    { interfaceIndex, mtu }: PacketLinkOptions,
    fd: number,
    source: Endpoint,
    datagrams: readonly LinkOutgoing[],
  ): readonly LinkOutgoing[] => {
    const failed = new Set<LinkOutgoing>();
    for (const datagram of datagrams) {
      const { mac, target, data } = datagram;
      if (udpPacketLength(data) <= mtu) {
        if (queued.length === SLOTS) flush(fd, failed);
        const start = queued.length * SLOT_BYTES;
        const end = writeUdpPacket(outbound.data, start, source, target, data);
        address(queued.length, interfaceIndex, mac, end - start);
        queued.push(datagram);
        continue;
      }
      // A packet socket cuts nothing. The number of a whole need only differ from those of others under way.
      nextId = (nextId + 1) & 0xffff;
      for (const fragment of fragmentsOf(udpPacket(source, target, data), mtu, nextId)) {
        if (queued.length === SLOTS) flush(fd, failed);
        outbound.data.set(fragment, queued.length * SLOT_BYTES);
        address(queued.length, interfaceIndex, mac, fragment.length);
        queued.push(datagram);
      }
    }
    flush(fd, failed);
    return [...failed];
  };
  let nextId = 0;
  const receive = (fd: number, into: LinkDatagram[], onBroken: (mac: Uint8Array) => void): number => {
    let count = libc.recvmmsg(fd, inbound.messages, SLOTS, MSG_DONTWAIT);
    // A call is first told of an error of before: an interface that was down.
    if (count < 0 && libc.errno() === ENETDOWN) count = libc.recvmmsg(fd, inbound.messages, SLOTS, MSG_DONTWAIT);
    let total = 0;
    for (let slot = 0; slot < count; slot += 1)
      total += MAC_BYTES + (inbound.words[slot * MESSAGE_WORDS + LENGTH_WORD] ?? 0);
    // One array for all: each of its own would cost more than all the rest.
    const bytes = new Uint8Array(total);
    let offset = 0;
    const keep = (from: Uint8Array, start: number, length: number): Uint8Array => {
      const kept = bytes.subarray(offset, offset + length);
      kept.set(from.subarray(start, start + length));
      offset += length;
      return kept;
    };
    for (let slot = 0; slot < count; slot += 1) {
      const sender = slot * ADDRESS_BYTES;
      // The kernel writes how much of the address it used.
      inbound.words[slot * MESSAGE_WORDS + NAME_LENGTH_WORD] = ADDRESS_BYTES;
      if (inbound.addresses[sender + PACKET_TYPE_OFFSET] === PACKET_OTHERHOST) continue;
      const mac = keep(inbound.addresses, sender + MAC_OFFSET, MAC_BYTES);
      const length = inbound.words[slot * MESSAGE_WORDS + LENGTH_WORD] ?? 0;
      const datagram = readUdpPacket(keep(inbound.data, slot * SLOT_BYTES, length));
      if (datagram === undefined) onBroken(mac);
      else into.push({ data: datagram.data, source: datagram.source, target: datagram.target, mac });
    }
    return Math.max(0, count);
  };
  return {
    open: (options) => {
      const fd = openCapture(libc, options.interfaceIndex, options.port);
      return {
        fd,
        receive: (into, onBroken) => receive(fd, into, onBroken),
        send: (source, datagrams) =>
          send({ ...options, mtu: Math.min(options.mtu, SLOT_BYTES) }, fd, source, datagrams),
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
