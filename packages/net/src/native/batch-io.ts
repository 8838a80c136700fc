import type { Datagram, Endpoint, Outgoing } from '../udp.ts';
import type { Libc } from './libc.ts';
import { writeDotted } from './udp-packet.ts';

/** What `send` made of a list: `taken` datagrams went out, then the kernel said `errno`; 0 if all of them did. */
export interface SendResult {
  readonly taken: number;
  readonly errno: number;
}

/**
 * Many datagrams with one system call each way, on non-blocking IPv4 sockets. One of these serves every socket of a
 * network: its buffers are in use during a call only.
 */
export interface BatchIo {
  /** Appends what waits at the socket, at most `BATCH_SLOTS` datagrams, and returns how many. */
  receive(fd: number, into: Datagram[]): number;
  /** Sends `datagrams[from…]`, at most `BATCH_SLOTS` of them and as far as `sendable`. */
  send(fd: number, datagrams: readonly Outgoing[], from: number): SendResult;
  /** Whether `send` can carry it. */
  sendable(datagram: Outgoing): boolean;
}

const BATCH_SLOTS = 128;

const AF_INET = 2;
const MSG_DONTWAIT = 0x40;
/** The longest datagram is 65,507 bytes. The kernel only ever touches the pages that datagrams fill. */
const RECEIVE_SLOT_BYTES = 65_536;
/** More than an Ethernet frame; what is longer goes the slow way. */
const SEND_SLOT_BYTES = 2_048;
// struct mmsghdr and struct sockaddr_in as 64-bit Linux has them: name, its length, iov, their count, control, its
// length, flags, received length. Offsets are in 32-bit words.
const MESSAGE_WORDS = 16;
const LENGTH_WORD = 14;
const ADDRESS_BYTES = 16;
const VECTOR_BYTES = 16;

interface Ring {
  readonly messages: Uint8Array;
  readonly words: Uint32Array;
  readonly addresses: Uint8Array;
  readonly vectors: BigUint64Array;
  readonly data: Uint8Array;
}

export function batchIo(libc: Libc): BatchIo {
  const inbound = ring(libc, RECEIVE_SLOT_BYTES);
  const outbound = ring(libc, SEND_SLOT_BYTES);
  // Relays send from one address for ever: its text is made once.
  let lastAddress = -1;
  let lastPort = -1;
  let lastSource: Endpoint = { address: '', port: 0 };
  const sourceAt = (slot: number): Endpoint => {
    const { addresses } = inbound;
    const at = slot * ADDRESS_BYTES;
    const port = ((addresses[at + 2] ?? 0) << 8) | (addresses[at + 3] ?? 0);
    const [a = 0, b = 0, c = 0, d = 0] = [addresses[at + 4], addresses[at + 5], addresses[at + 6], addresses[at + 7]];
    const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (address !== lastAddress || port !== lastPort) {
      lastAddress = address;
      lastPort = port;
      lastSource = { address: `${a}.${b}.${c}.${d}`, port };
    }
    return lastSource;
  };
  const sendable = ({ data, target }: Outgoing): boolean =>
    data.byteLength <= SEND_SLOT_BYTES && DOTTED.test(target.address) && target.port > 0 && target.port < 65_536;
  return {
    receive: (fd, into) => {
      const count = libc.recvmmsg(fd, inbound.messages, BATCH_SLOTS, MSG_DONTWAIT);
      if (count <= 0) return 0;
      let total = 0;
      for (let slot = 0; slot < count; slot += 1) total += inbound.words[slot * MESSAGE_WORDS + LENGTH_WORD] ?? 0;
      const bytes = new Uint8Array(total);
      let offset = 0;
      for (let slot = 0; slot < count; slot += 1) {
        const length = inbound.words[slot * MESSAGE_WORDS + LENGTH_WORD] ?? 0;
        const start = slot * RECEIVE_SLOT_BYTES;
        bytes.set(inbound.data.subarray(start, start + length), offset);
        into.push({ data: bytes.subarray(offset, offset + length), source: sourceAt(slot) });
        offset += length;
      }
      return count;
    },
    send: (fd, datagrams, from) => {
      let count = 0;
      while (count < BATCH_SLOTS) {
        const datagram = datagrams[from + count];
        if (datagram === undefined || !sendable(datagram)) break;
        writeSlot(outbound, count, datagram);
        count += 1;
      }
      if (count === 0) return { taken: 0, errno: 0 };
      const taken = libc.sendmmsg(fd, outbound.messages, count, MSG_DONTWAIT);
      if (taken < 0) return { taken: 0, errno: libc.errno() };
      // The error that stopped it short shows when the next call begins with that datagram.
      return { taken, errno: 0 };
    },
    sendable,
  };
}

const DOTTED = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Message headers that point at their slots, for good. */
function ring(libc: Libc, slotBytes: number): Ring {
  const messages = new Uint8Array(BATCH_SLOTS * MESSAGE_WORDS * 4);
  const words = new Uint32Array(messages.buffer);
  const pointers = new BigUint64Array(messages.buffer);
  const addresses = new Uint8Array(BATCH_SLOTS * ADDRESS_BYTES);
  const vectors = new BigUint64Array((BATCH_SLOTS * VECTOR_BYTES) / 8);
  const data = new Uint8Array(BATCH_SLOTS * slotBytes);
  const family = new Uint16Array(addresses.buffer);
  const [addressesAt, vectorsAt, dataAt] = [addresses, new Uint8Array(vectors.buffer), data].map((buffer) =>
    libc.addressOf(buffer),
  );
  for (let slot = 0; slot < BATCH_SLOTS; slot += 1) {
    vectors[slot * 2] = (dataAt ?? 0n) + BigInt(slot * slotBytes);
    vectors[slot * 2 + 1] = BigInt(slotBytes);
    const at = (slot * MESSAGE_WORDS) / 2;
    pointers[at] = (addressesAt ?? 0n) + BigInt(slot * ADDRESS_BYTES);
    words[slot * MESSAGE_WORDS + 2] = ADDRESS_BYTES;
    pointers[at + 2] = (vectorsAt ?? 0n) + BigInt(slot * VECTOR_BYTES);
    pointers[at + 3] = 1n;
    family[(slot * ADDRESS_BYTES) / 2] = AF_INET;
  }
  return { messages, words, addresses, vectors, data };
}

function writeSlot(outbound: Ring, slot: number, { data, target }: Outgoing): void {
  outbound.data.set(data, slot * SEND_SLOT_BYTES);
  outbound.vectors[slot * 2 + 1] = BigInt(data.byteLength);
  writeAddress(outbound.addresses, slot * ADDRESS_BYTES, target);
}

/** Port and address of struct sockaddr_in; the family before them is in host byte order. */
function writeAddress(bytes: Uint8Array, at: number, { address, port }: Endpoint): void {
  bytes[at + 2] = port >>> 8;
  bytes[at + 3] = port;
  writeDotted(bytes, at + 4, address);
}
