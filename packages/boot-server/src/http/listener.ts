import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { createServer, type RequestListener, type Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { bindTcp, type Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootMetrics } from '../metrics.ts';
import type { Connections } from './connections.ts';
import type { HttpLimits } from './limits.ts';
import type { HttpListen } from './listen.ts';
import type { TlsPair } from './tls.ts';

export type Listener = Server | TlsServer;

export interface ListenerComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly limits: HttpLimits;
  readonly connections: Connections;
  /** Undefined: without TLS. */
  readonly tls: TlsPair | undefined;
  readonly onRequest: RequestListener;
}

/** A server of Node's with every limit set; it listens nowhere yet. */
export function createListener(components: ListenerComponents): Listener {
  const { log, metrics, limits, connections, tls, onRequest } = components;
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.connectionsCheckingInterval,
  };
  const server =
    tls === undefined
      ? createServer(options, onRequest)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.headersTimeoutMs }, onRequest);
  server.maxConnections = limits.connections;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.setTimeout(limits.idleTimeoutMs, (socket: Socket) => {
    const answer = connections.nextAnswer(socket);
    // A body's sender has seen to it; or the client waits for us, who wait for a store.
    if (socket.destroyed || answer === 'to-come') return;
    // Between two requests nobody is cut off.
    if (answer === 'begun') metrics.drop('http', 'idle');
    socket.destroy();
  });
  server.on('connection', (socket: Socket) => {
    if (connections.admit(socket) && tls === undefined) connections.opened(socket);
  });
  server.on('secureConnection', (socket: Socket) => connections.opened(socket));
  server.on('tlsClientError', () => metrics.drop('http', 'tls-failed'));
  server.on('drop', () => metrics.drop('http', 'too-many-connections'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (isLate) metrics.drop('http', 'slow-request');
    else metrics.drop('http', 'malformed');
    log.debug({ err: error }, isLate ? 'a request that did not come to its end' : 'a malformed request');
    const status = isLate ? '408 Request Timeout' : '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });
  return server;
}

/** Resolves to the port: the real one where 0 was asked for. Rejects with BootServerError LISTEN_FAILED. */
export async function listenOn(server: Listener, place: HttpListen, libc: Libc | undefined): Promise<number> {
  const { address, port, interface: device } = place;
  const where = device === undefined ? `${address}:${port}` : `port ${port} of interface ${device} (${address})`;
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => {
      reject(
        new BootServerError(
          BootServerErrorCode.ListenFailed,
          `HTTP cannot listen on ${where}: ${reasonOf(cause, port)}`,
          cause,
        ),
      );
    };
    server.once('error', refuse);
    // An IPv6 listener is for IPv6: the same port of 0.0.0.0 may be another's.
    const heard = (): void => {
      server.off('error', refuse);
      resolve();
    };
    if (device === undefined) {
      server.listen({ host: address, port, ipv6Only: isIP(address) === 6 }, heard);
      return;
    }
    try {
      if (libc === undefined) throw new Error('to bind an interface takes a Node with node:ffi; name its addresses');
      server.listen({ fd: bindTcp(libc, { address, port, interface: device }) }, heard);
    } catch (error) {
      refuse(error instanceof Error ? error : new Error(String(error)));
    }
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}

/** Connections that are there stay; new ones come by the interface that has the name now. */
export async function listenAnew(server: Listener, place: HttpListen, libc: Libc | undefined): Promise<void> {
  if (server.listening) server.close();
  await listenOn(server, place, libc);
}

function reasonOf(cause: NodeJS.ErrnoException, port: number): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `another process has the port; find it with "ss -ltnp sport = :${port}" and stop it, or change http.listen`;
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has the address, see "ip address"';
    case 'ENODEV':
      return 'this machine has no such interface, see "ip link"';
    case 'EACCES':
      return 'ports below 1024 need CAP_NET_BIND_SERVICE: use the systemd unit, or change http.listen';
    default:
      return `${cause.message}; is http.listen right?`;
  }
}
