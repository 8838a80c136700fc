import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { BindOptions } from '../udp.ts';
import type { Libc } from './libc.ts';
import { AF_INET, AF_INET6, packSocketAddress } from './socket-address.ts';

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BROADCAST = 6;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
/** ipv6(7) */
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/**
 * A power failure's worth of machines at once: the kernel counts some 1,280 bytes for a DISCOVER, and halves nothing
 * of what it grants up to net.core.rmem_max.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** A bound UDP socket's descriptor, or throws an Error with the name of errno as its `code`. */
export function bindNative(libc: Libc, options: BindOptions): number {
  return bound(libc, SOCK_DGRAM, options, (fd, check) => {
    if (options.broadcast === true) check('SO_BROADCAST', libc.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, int(1)));
    // Less than asked for is no reason not to serve.
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int(RECEIVE_BUFFER_BYTES));
  });
}

/**
 * A TCP socket's descriptor, for `server.listen({ fd })`, bound to an interface (or VRF device): only what arrives there
 * is taken, and answered from there. Throws an Error with the name of errno as its `code`.
 */
export function bindTcp(libc: Libc, options: Required<Pick<BindOptions, 'address' | 'port' | 'interface'>>): number {
  // As Node itself has it: connections of the process before do not stand in the way.
  return bound(libc, SOCK_STREAM, { ...options, reuseAddress: true }, () => undefined);
}

function bound(
  libc: Libc,
  type: number,
  options: Pick<BindOptions, 'address' | 'port' | 'interface' | 'reuseAddress'>,
  prepare: (fd: number, check: (what: string, result: number) => void) => void,
): number {
  const { address, port } = options;
  const isV6 = isIPv6(address);
  const fd = libc.socket(isV6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError('socket', libc.errno());
  const check = (what: string, result: number): void => {
    if (result >= 0) return;
    const errno = libc.errno();
    libc.close(fd);
    throw systemError(what, errno);
  };
  if (options.reuseAddress === true) check('SO_REUSEADDR', libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, int(1)));
  if (isV6) check('IPV6_V6ONLY', libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, int(1)));
  prepare(fd, check);
  if (options.interface !== undefined) {
    const name = new TextEncoder().encode(`${options.interface}\0`);
    check('SO_BINDTODEVICE', libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name));
  }
  check('bind', libc.bind(fd, packSocketAddress({ address, port })));
  return fd;
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

export function systemError(what: string, errno: number): Error & { code: string } {
  const code = errno > 0 ? getSystemErrorName(-errno) : 'EIO';
  return Object.assign(new Error(`${what}: ${code}`), { code });
}
