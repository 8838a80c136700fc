import type { Datagram, Endpoint } from '../udp.ts';
import type { Libc } from './libc.ts';
import { packSocketAddress } from './socket-address.ts';

const AF_PACKET = 17;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
const IPPROTO_UDP = 17;
const IPPROTO_RAW = 255;
const ETH_P_IP = 0x0800;
/** struct sockaddr_ll */
const LINK_ADDRESS_BYTES = 20;
/** As `bindNative` gives its sockets. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const SLOTS = 64;
/** More than an Ethernet frame. */
const SLOT_BYTES = 2_048;
/** struct mmsghdr in 64-bit words: name, its length, iov, their count, control, its length, flags, received length. */
const MESSAGE_WORDS = 8;
const UDP_BYTES = 8;

/**
 * A descriptor that hears the IPv4 packets of UDP to `port` that come in by an interface, beside the sockets of other
 * programs: packet(7) with a filter. Throws an Error with the number of errno; it takes CAP_NET_RAW.
 */
export function openCapture(libc: Libc, interfaceIndex: number, port: number): number {
  // Protocol 0 until the filter is there: nothing else gets into the queue.
  const fd = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`no packet socket: errno ${libc.errno()}`);
  const check = (what: string, result: number): void => {
    if (result >= 0) return;
    const errno = libc.errno();
    libc.close(fd);
    throw new Error(`${what} of a packet socket: errno ${errno}`);
  };
  const code = filterOf(port);
  // struct sock_fprog: how many instructions, and where.
  const program = new BigUint64Array([BigInt(code.byteLength / 8), libc.addressOf(code)]);
  check('filter', libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(program.buffer)));
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, new Uint8Array(Int32Array.of(RECEIVE_BUFFER_BYTES).buffer));
  check('bind', bindLink(libc, fd, interfaceIndex));
  return fd;
}

/** Has such a descriptor hear another interface: no privilege is needed for that. Throws an Error with the number of errno. */
export function bindCapture(libc: Libc, fd: number, interfaceIndex: number): void {
  if (bindLink(libc, fd, interfaceIndex) < 0) throw new Error(`bind of a packet socket: errno ${libc.errno()}`);
}

function bindLink(libc: Libc, fd: number, interfaceIndex: number): number {
  const address = new Uint8Array(LINK_ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  new Uint16Array(address.buffer)[0] = AF_PACKET;
  view.setUint16(2, ETH_P_IP);
  new Int32Array(address.buffer)[1] = interfaceIndex;
  return libc.bind(fd, address);
}

/** struct sock_filter, bpf(4) of old: UDP to this port, and of fragments the first, which says that there are more. */
function filterOf(port: number): Uint8Array {
  const drop = 7;
  const program: readonly (readonly [code: number, ifTrue: number, ifFalse: number, k: number])[] = [
    // ldb [9]; jeq
    [0x30, 0, 0, 9],
    [0x15, 0, drop - 2, IPPROTO_UDP],
    // ldh [6]; jset: an offset
    [0x28, 0, 0, 6],
    [0x45, drop - 4, 0, 0x1fff],
    // ldxb 4*([0]&0xf); ldh [x+2]; jeq; ret
    [0xb1, 0, 0, 0],
    [0x48, 0, 0, 2],
    [0x15, 1, 0, port],
    [0x06, 0, 0, 0],
    [0x06, 0, 0, 0x4_0000],
  ];
  const bytes = new Uint8Array(program.length * 8);
  const codes = new Uint16Array(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  for (const [index, [operation, ifTrue, ifFalse, k]] of program.entries()) {
    codes[index * 4] = operation;
    bytes[index * 8 + 2] = ifTrue;
    bytes[index * 8 + 3] = ifFalse;
    words[index * 2 + 1] = k;
  }
  return bytes;
}

/** Reads what waits at such a descriptor, some packets at a time; none when it is empty. */
export function packetReader(libc: Libc): (fd: number) => Uint8Array[] {
  const data = new Uint8Array(SLOTS * SLOT_BYTES);
  const vectors = new BigUint64Array(SLOTS * 2);
  const messages = new BigUint64Array(SLOTS * MESSAGE_WORDS);
  const bytes = new Uint8Array(messages.buffer);
  const dataAt = libc.addressOf(data);
  const vectorsAt = libc.addressOf(new Uint8Array(vectors.buffer));
  for (let slot = 0; slot < SLOTS; slot += 1) {
    vectors[slot * 2] = dataAt + BigInt(slot * SLOT_BYTES);
    vectors[slot * 2 + 1] = BigInt(SLOT_BYTES);
    messages[slot * MESSAGE_WORDS + 2] = vectorsAt + BigInt(slot * 16);
    messages[slot * MESSAGE_WORDS + 3] = 1n;
  }
  return (fd) => {
    const count = libc.recvmmsg(fd, bytes, SLOTS, MSG_DONTWAIT);
    const packets: Uint8Array[] = [];
    for (let slot = 0; slot < count; slot += 1) {
      const length = Number((messages[slot * MESSAGE_WORDS + 7] ?? 0n) & 0xffff_ffffn);
      packets.push(data.slice(slot * SLOT_BYTES, slot * SLOT_BYTES + length));
    }
    return packets;
  };
}

/**
 * The datagram in an IPv4 packet, and where it went to; undefined when it is none. Checksums are not looked at: the
 * kernel leaves them out between hosts of one machine.
 */
export function readUdpPacket(packet: Uint8Array): (Datagram & { readonly target: Endpoint }) | undefined {
  const at = ((packet[0] ?? 0) & 0x0f) * 4;
  if ((packet[0] ?? 0) >>> 4 !== 4 || at < 20 || packet[9] !== IPPROTO_UDP || packet.length < at + UDP_BYTES)
    return undefined;
  const length = uint16At(packet, at + 4);
  if (length < UDP_BYTES || at + length > packet.length) return undefined;
  return {
    data: packet.subarray(at + UDP_BYTES, at + length),
    source: { address: dottedAt(packet, 12), port: uint16At(packet, at) },
    target: { address: dottedAt(packet, 16), port: uint16At(packet, at + 2) },
  };
}

function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function dottedAt(bytes: Uint8Array, at: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  // A client without an address, and to all: most of what there is.
  if ((a & b & c & d) === 255) return '255.255.255.255';
  if ((a | b | c | d) === 0) return '0.0.0.0';
  return `${a}.${b}.${c}.${d}`;
}

/** Sends IPv4 packets with a header of our own, from any port, along the kernel's routes: raw(7). */
export interface RawSocket {
  /** False where the kernel does not take it. */
  send(address: string, packet: Uint8Array): boolean;
  close(): void;
}

/** Undefined without CAP_NET_RAW. */
export function openRaw(libc: Libc): RawSocket | undefined {
  const fd = libc.socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd < 0) return undefined;
  return {
    send: (address, packet) =>
      libc.sendto(fd, packet, 0, packSocketAddress({ address, port: 0 })) === packet.byteLength,
    close: () => void libc.close(fd),
  };
}
