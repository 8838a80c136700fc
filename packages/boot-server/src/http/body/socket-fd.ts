import type { Socket } from 'node:net';

/**
 * The file descriptor of a plain TCP socket of Node's, which has no public name for it; undefined when it is none, is
 * closed, or this Node keeps it elsewhere. It stays Node's: duplicate it, never close it.
 */
export function descriptorOf(socket: Socket): number | undefined {
  if (socket.destroyed || 'encrypted' in socket) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 ? fd : undefined;
}
