import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Forward {
  /** Port on 127.0.0.1 of the host. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Makes a unix socket reachable as TCP on the host's loopback. A unix socket is seen from every network namespace, so
 * this is the door from the host into the rack, without an interface or a route on the host.
 * `preferredPort` is taken when free, any other otherwise.
 */
export async function forwardToUnixSocket(path: string, preferredPort: number): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(path);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(preferredPort).catch(() => listen(0));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address and a port');
  return {
    port: address.port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
