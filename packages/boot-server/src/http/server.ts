import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { bindTcp, type Clock, type InterfaceWatch, type Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BOOTING_TEXT, noteBooting } from '../published/booting.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { renderAutoexecScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
import { serveAgentUp, type AgentRouteComponents } from './agent-route.ts';
import type { BodySender } from './body/sender.ts';
import { serveCerts, type CertsRouteComponents } from './certs-route.ts';
import { serveConfig, type ConfigRouteComponents } from './config-route.ts';
import { trackConnections, type Connections } from './connections.ts';
import { serveBootFile, servePublished, type FileRouteComponents } from './file-route.ts';
import { askedImage, serveImage, type ImageRouteComponents } from './image-route.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { loadTls, watchTls, type TlsFiles, type TlsPair } from './tls.ts';
import { serveUsed, type UsedRouteComponents } from './peers.ts';
import { sendError, sendText, type Request } from './reply.ts';
import { basesFor, serveScript, type ScriptRouteComponents } from './script-route.ts';

export interface HttpServerComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly script: ScriptRouteComponents;
  readonly files: FileRouteComponents;
  /** Undefined: there is no API that configurations can be had of. */
  readonly config: ConfigRouteComponents | undefined;
  /** Undefined: not for machines of the v1 API. */
  readonly certs: CertsRouteComponents | undefined;
  readonly used: UsedRouteComponents;
  readonly agent: AgentRouteComponents;
  /** Undefined: no images are cached. */
  readonly images: ImageRouteComponents | undefined;
  /** Stopped with the server. */
  readonly bodies: BodySender;
  /** Binds interfaces; undefined: that fails. */
  readonly libc?: Libc | undefined;
  /** Has the listeners of an interface follow it when it is made anew; undefined: they do not. */
  readonly interfaces?: InterfaceWatch | undefined;
  /** In place of those of `limits.ts`. */
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** Of each address that was to be listened on, in their order: the real one where 0 was asked for. */
  readonly ports: readonly number[];
  /** Takes no more connections, lets what is being sent go to its end, within a deadline. */
  stop(): Promise<void>;
}

export interface HttpListen {
  readonly address: string;
  readonly port: number;
  /** Only what arrives at this interface (or VRF device); undefined: at all of them. */
  readonly interface?: string;
  /** Undefined: without TLS. */
  readonly tls?: TlsFiles | undefined;
}

/** Serves scripts, boot files and machine configurations. Rejects with BootServerError LISTEN_FAILED, FILE_UNUSABLE. */
export async function startHttpServer(
  components: HttpServerComponents,
  listen: readonly HttpListen[],
): Promise<HttpServer> {
  const { clock, metrics, bodies } = components;
  const limits: HttpLimits = { ...HTTP_LIMITS, ...components.limits };
  const connections = trackConnections(clock, metrics, limits);
  const servers: (Server | TlsServer)[] = [];
  const ports: number[] = [];
  const unwatch: (() => void)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of unwatch) each();
    for (const server of servers) server.close();
    await connections.drain();
    await bodies.stop();
  };
  try {
    for (const place of listen) {
      const { tls: files } = place;
      const pair = files === undefined ? undefined : await loadTls(files);
      const server = createListener(components, limits, connections, pair);
      if (files !== undefined && pair !== undefined && 'setSecureContext' in server) {
        const use = (next: TlsPair): void => server.setSecureContext(next);
        unwatch.push(watchTls({ clock, log: components.log, files, use }, pair));
      }
      ports.push(await listenOn(server, place, components.libc));
      servers.push(server);
      server.on('error', (error) => components.log.error({ err: error }, 'HTTP listener'));
      if (place.interface !== undefined && components.interfaces !== undefined)
        unwatch.push(components.interfaces.follow(place.interface, () => listenAnew(server, place, components.libc)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports, stop };
}

function createListener(
  components: HttpServerComponents,
  limits: HttpLimits,
  connections: Connections,
  tls: TlsPair | undefined,
): Server | TlsServer {
  const { log, metrics } = components;
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.connectionsCheckingInterval,
  };
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    connections.answering(response);
    handle(components, incoming, response).catch((error: unknown) => {
      metrics.drop('http', 'internal');
      log.error({ err: error, url: incoming.url }, 'a request could not be answered: this is a bug, please report it');
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.headersTimeoutMs }, listener);
  server.maxConnections = limits.connections;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.setTimeout(limits.idleTimeoutMs, (socket: Socket) => {
    // A body's sender has seen to it.
    if (socket.destroyed) return;
    metrics.drop('http', 'idle');
    socket.destroy();
  });
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => connections.opened(socket));
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

async function listenOn(server: Server | TlsServer, place: HttpListen, libc: Libc | undefined): Promise<number> {
  const { address, port, interface: device } = place;
  const where = device === undefined ? `${address}:${port}` : `port ${port} of interface ${device} (${address})`;
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => {
      reject(
        new BootServerError(
          BootServerErrorCode.ListenFailed,
          `HTTP cannot listen on ${where}: ${cause.message}; ${adviceFor(cause, port)}`,
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

function adviceFor(cause: NodeJS.ErrnoException, port: number): string {
  switch (cause.code) {
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has the address, see "ip address"';
    case 'ENODEV':
      return 'this machine has no such interface, see "ip link"';
    case 'EACCES':
      return 'ports below 1024 need CAP_NET_BIND_SERVICE: use the systemd unit, or change http.listen';
    default:
      return `stop the program that has the port (ss -ltnp sport = :${port}), or change http.listen`;
  }
}

/** Connections that are there stay; new ones come by the interface that has the name now. */
async function listenAnew(server: Server | TlsServer, place: HttpListen, libc: Libc | undefined): Promise<void> {
  if (server.listening) server.close();
  await listenOn(server, place, libc);
}

async function handle(
  components: HttpServerComponents,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = parseRequest(components, incoming, response);
  if (request === undefined) {
    components.metrics.drop('http', 'bad-request');
    const isMethod = incoming.method !== 'GET' && incoming.method !== 'HEAD';
    response.writeHead(isMethod ? 405 : 400, { allow: 'GET, HEAD', connection: 'close', 'content-length': 0 }).end();
    return;
  }
  const { path } = request;
  const image = components.images === undefined ? undefined : askedImage(request, components.images.cache);
  if (components.images !== undefined && image !== undefined) return serveImage(request, image, components.images);
  if (path === '/_/file') return serveBootFile(request, components.files);
  if (path.startsWith('/boot/') && path.endsWith('/autoexec.ipxe'))
    return sendText(request, 200, renderAutoexecScript(basesFor(components.script, request)[0]));
  if (/^\/(?:boot|grub|_\/file|_\/booting)\//.test(path)) return servePublished(request, components.files);
  // A script and a configuration change something when they are given: nothing to look at beforehand.
  if (request.method === 'GET') {
    if (path === '/_/ipxe') return serveScript(request, components.script);
    if (path === '/_/used') return serveUsed(request, components.used);
    if (path === '/_/up') return serveAgentUp(request, components.agent);
    if (path === '/_/booting') return serveBooting(request, components);
    if (path === '/certs' && components.certs !== undefined) return serveCerts(request, components.certs);
    if (path.startsWith('/config/') && components.config !== undefined) return serveConfig(request, components.config);
  }
  components.metrics.drop('http', 'unknown-path');
  return sendError(request, 404, 'not_found', 'known are /_/ipxe, /_/file, /_/booting, /boot/, /grub/ and /config/');
}

/** `/_/booting?mac=`, as an iPXE says it; GRUB's is `/_/booting/<mac>`, which TFTP has as well. */
function serveBooting(request: Request, { log, metrics, files }: HttpServerComponents): void {
  noteBooting({ log, metrics, uuidOf: files.uuidOf }, parseMac(request.query.get('mac') ?? ''));
  sendText(request, 200, BOOTING_TEXT);
}

function parseRequest(
  { bodies }: HttpServerComponents,
  incoming: IncomingMessage,
  response: ServerResponse,
): Request | undefined {
  const { method, url, headers } = incoming;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined) return undefined;
  if (url === undefined || !url.startsWith('/') || !URL.canParse(url, 'http://boot')) return undefined;
  const parsed = new URL(url, 'http://boot');
  const peer = incoming.socket.remoteAddress?.replace(/^::ffff:/i, '') ?? '';
  let path: string;
  try {
    path = decodeURIComponent(parsed.pathname);
  } catch {
    return undefined;
  }
  return {
    method,
    path,
    query: parsed.searchParams,
    source: isIP(peer) === 0 ? undefined : peer.replace(/%.*$/, ''),
    peer,
    bodies,
    incoming,
    response,
  };
}
