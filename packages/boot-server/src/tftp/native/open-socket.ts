import { isIPv6 } from 'node:net';
import { AF_INET, AF_INET6, packSocketAddress, type Endpoint, type Libc } from '@ingot/net';
import { RECEIVE_TIMEOUT_MS } from './receive-batch.ts';

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
/** ip(7): fragments rather than packets that vanish where the way is narrower than its MTU says. */
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DONT = 0;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_BINDTODEVICE = 25;
const SO_SNDTIMEO = 21;
/** ACKs of a thousand clients, windows of many; the kernel grants what its own limit allows. */
const SOCKET_BUFFER_BYTES = 4 * 2 ** 20;
/** A full NIC holds the loop up for this long at most. */
const SEND_TIMEOUT_MS = 20;

/**
 * A socket to send from and hear ACKs at. With a port it shares that one with the listener, on whose interface (`device`)
 * it is, if it has one. Throws Error.
 */
export function openSocket(libc: Libc, place: Endpoint, device: string | undefined): number {
  const family = isIPv6(place.address) ? AF_INET6 : AF_INET;
  const fd = checked(libc, 'socket', libc.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    const set = (level: number, name: number, value: Uint8Array): number => libc.setsockopt(fd, level, name, value);
    const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
    // socket(7): of all sockets at one address the kernel gives a packet to the newest.
    if (place.port !== 0) checked(libc, 'SO_REUSEADDR', set(SOL_SOCKET, SO_REUSEADDR, int(1)));
    if (device !== undefined) {
      const name = new TextEncoder().encode(`${device}\0`);
      checked(libc, 'SO_BINDTODEVICE', libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name));
    }
    checked(libc, 'bind', libc.bind(fd, packSocketAddress(place)));
    // Without them it is slower; nothing else.
    if (family === AF_INET) set(IPPROTO_IP, IP_MTU_DISCOVER, int(IP_PMTUDISC_DONT));
    set(SOL_SOCKET, SO_SNDBUF, int(SOCKET_BUFFER_BYTES));
    set(SOL_SOCKET, SO_RCVBUF, int(SOCKET_BUFFER_BYTES));
    checked(libc, 'setsockopt', set(SOL_SOCKET, SO_SNDTIMEO, timeval(SEND_TIMEOUT_MS)));
    checked(libc, 'setsockopt', set(SOL_SOCKET, SO_RCVTIMEO, timeval(RECEIVE_TIMEOUT_MS)));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** struct timeval */
function timeval(ms: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(0n, BigInt(ms * 1000)).buffer);
}

/** Throws what a system call that failed says. */
export function checked(libc: Libc, call: string, result: number): number {
  if (result < 0) throw new Error(`${call}(2) fails with errno ${libc.errno()}`);
  return result;
}
