import { getSystemErrorName } from 'node:util';
import type { BindOptions } from '../udp.ts';
import { socketAddress } from './batch-io.ts';
import type { Libc } from './libc.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BROADCAST = 6;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;

/**
 * A power failure's worth of machines at once: the kernel counts some 1,280 bytes for a DISCOVER, and halves nothing
 * of what it grants up to net.core.rmem_max.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** A bound UDP socket's descriptor, or throws an Error with the name of errno as its `code`. */
export function bindNative(libc: Libc, options: BindOptions): number {
  const { address, port, broadcast = false, reuseAddress = false } = options;
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError('socket', libc.errno());
  const check = (what: string, result: number): void => {
    if (result >= 0) return;
    const errno = libc.errno();
    libc.close(fd);
    throw systemError(what, errno);
  };
  if (reuseAddress) check('SO_REUSEADDR', libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, int(1)));
  if (broadcast) check('SO_BROADCAST', libc.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, int(1)));
  // Less than asked for is no reason not to serve.
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int(RECEIVE_BUFFER_BYTES));
  if (options.interface !== undefined) {
    const name = new TextEncoder().encode(`${options.interface}\0`);
    check('SO_BINDTODEVICE', libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name));
  }
  check('bind', libc.bind(fd, socketAddress({ address, port })));
  return fd;
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

export function systemError(what: string, errno: number): Error & { code: string } {
  const code = errno > 0 ? getSystemErrorName(-errno) : 'EIO';
  return Object.assign(new Error(`${what}: ${code}`), { code });
}
