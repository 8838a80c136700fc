import type { Datagram } from '../udp.ts';
import { batchIo } from './batch-io.ts';
import { internetChecksum } from './internet-checksum.ts';
import type { Libc } from './libc.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const IPPROTO_ICMP = 1;
/** raw(7): a mask of the types that are not wanted. */
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
/** ICMP has no ports, and the kernel ignores this one. */
const NO_PORT = 1;

/** Asks hosts whether they are there: ICMP echo, RFC 792. */
export interface EchoSocket {
  /** Sends one request; false where the kernel does not take it, as for want of a route. */
  send(address: string): boolean;
  /** Addresses that have answered since the last call. */
  receive(): string[];
  close(): void;
}

/**
 * A ping socket, which takes a group within net.ipv4.ping_group_range, or else a raw one, which takes CAP_NET_RAW;
 * undefined where neither is allowed. `id` (16 bits) tells the replies to a raw socket from those to other programs.
 */
export function openEcho(libc: Libc, id: number): EchoSocket | undefined {
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  const ping = libc.socket(AF_INET, SOCK_DGRAM | flags, IPPROTO_ICMP);
  const isRaw = ping < 0;
  const fd = isRaw ? libc.socket(AF_INET, SOCK_RAW | flags, IPPROTO_ICMP) : ping;
  if (fd < 0) return undefined;
  if (isRaw) libc.setsockopt(fd, SOL_RAW, ICMP_FILTER, new Uint8Array(Uint32Array.of(~(1 << ECHO_REPLY)).buffer));
  const io = batchIo(libc);
  let sequence = 0;
  return {
    send: (address) => {
      sequence = (sequence + 1) & 0xffff;
      const datagrams = [{ data: echoRequest(id, sequence), target: { address, port: NO_PORT } }];
      // The first call may be told of an earlier request that met no host.
      return io.send(fd, datagrams, 0).taken === 1 || io.send(fd, datagrams, 0).taken === 1;
    },
    receive: () => {
      const arrived: Datagram[] = [];
      io.receive(fd, arrived);
      return arrived.flatMap(({ data, source }) => {
        const message = isRaw ? data.subarray(((data[0] ?? 0) & 0x0f) * 4) : data;
        // The kernel puts its own id into the requests of a ping socket, and hands out the replies by it.
        const isOurs = !isRaw || (((message[4] ?? 0) << 8) | (message[5] ?? 0)) === id;
        return message.length >= 8 && message[0] === ECHO_REPLY && isOurs ? [source.address] : [];
      });
    },
    close: () => void libc.close(fd),
  };
}

/** Type, code, checksum, identifier, sequence number, and no data. */
export function echoRequest(id: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, ECHO_REQUEST);
  view.setUint16(4, id);
  view.setUint16(6, sequence);
  view.setUint16(2, internetChecksum(bytes));
  return bytes;
}
