import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac } from '../identity.ts';
import { numberOfIpv4 } from '../ipv4.ts';
import { renderAutoexecScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
import { serveConfig, type ConfigRouteComponents } from './config-route.ts';
import { serveBootFile, servePublished, type FileRouteComponents } from './file-route.ts';
import { askedImage, serveImage, type ImageRouteComponents } from './image-route.ts';
import { sendError, sendText, type Request } from './reply.ts';
import { serveScript, type ScriptRouteComponents } from './script-route.ts';

/** Every limit and what it stops. */
const HTTP_LIMITS = {
  /** Connections at once: file descriptors. */
  connections: 1_024,
  /** Connections at once from one address: one client taking them all. iPXE opens one, firmware two. */
  connectionsPerClient: 32,
  /** Request line and headers together: memory per connection. */
  headerBytes: 8_192,
  /** To send the whole header, and the whole request: clients that send one byte a second. */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  /** Without a byte moving either way: clients that went away without a word. */
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 5_000,
} as const;

export interface HttpServerComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly script: ScriptRouteComponents;
  readonly files: FileRouteComponents;
  readonly config: ConfigRouteComponents;
  /** Undefined: no images are cached. */
  readonly images: ImageRouteComponents | undefined;
}

export interface HttpServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves scripts, boot files and machine configurations. Rejects with BootServerError LISTEN_FAILED. */
export async function startHttpServer(
  components: HttpServerComponents,
  listen: { address: string; port: number },
): Promise<HttpServer> {
  const { log, metrics } = components;
  const server = createServer(
    {
      maxHeaderSize: HTTP_LIMITS.headerBytes,
      headersTimeout: HTTP_LIMITS.headersTimeoutMs,
      requestTimeout: HTTP_LIMITS.requestTimeoutMs,
      connectionsCheckingInterval: 2_000,
    },
    (incoming, response) => {
      handle(components, incoming, response).catch((error: unknown) => {
        metrics.drop('http', 'internal');
        log.error(
          { err: error, url: incoming.url },
          'a request could not be answered: this is a bug, please report it',
        );
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    },
  );
  server.maxConnections = HTTP_LIMITS.connections;
  server.keepAliveTimeout = HTTP_LIMITS.keepAliveTimeoutMs;
  server.setTimeout(HTTP_LIMITS.idleTimeoutMs, (socket: Socket) => {
    metrics.drop('http', 'idle');
    socket.destroy();
  });
  limitPerClient(server, metrics);
  server.on('drop', () => metrics.drop('http', 'too-many-connections'));
  server.on('clientError', (error: Error, socket) => {
    metrics.drop('http', 'malformed');
    log.debug({ err: error }, 'a malformed request');
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new BootServerError(
          BootServerErrorCode.ListenFailed,
          `HTTP cannot listen on ${listen.address}:${listen.port}: ${cause.message}; stop the program that has the port (ss -ltnp), or change http.listen`,
          cause,
        ),
      );
    });
    server.listen({ host: listen.address, port: listen.port }, resolve);
  });
  server.on('error', (error) => log.error({ err: error }, 'HTTP listener'));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : listen.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  components: HttpServerComponents,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = parseRequest(incoming, response);
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
    return sendText(request, 200, renderAutoexecScript(components.script.bases[0]));
  if (path.startsWith('/boot/')) return servePublished(request, components.files);
  // A script and a configuration change something when they are given: nothing to look at beforehand.
  if (request.method === 'GET') {
    if (path === '/_/ipxe') return serveScript(request, components.script);
    if (path === '/_/booting') return serveBooting(request, components);
    if (path.startsWith('/config/')) return serveConfig(request, components.config);
  }
  components.metrics.drop('http', 'unknown-path');
  return sendError(request, 404, 'not_found', 'known are /_/ipxe, /_/file, /_/booting, /boot/ and /config/');
}

/** The machine has everything and leaves the boot server: the last that is heard of this boot. */
function serveBooting(request: Request, { log, metrics, files }: HttpServerComponents): void {
  const mac = parseMac(request.query.get('mac') ?? '');
  const uuid = mac === undefined ? undefined : files.uuidOf(mac);
  metrics.stage('http.booting');
  log.info({ event: 'http.booting', mac, uuid }, 'the machine starts its kernel');
  sendText(request, 200, '# Booting');
}

function parseRequest(incoming: IncomingMessage, response: ServerResponse): Request | undefined {
  const { method, url, headers } = incoming;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined) return undefined;
  if (url === undefined || !url.startsWith('/') || !URL.canParse(url, 'http://boot')) return undefined;
  const parsed = new URL(url, 'http://boot');
  const peer = incoming.socket.remoteAddress?.replace(/^::ffff:/i, '');
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
    source: peer === undefined || isIP(peer) !== 4 ? undefined : numberOfIpv4(peer),
    incoming,
    response,
  };
}

function limitPerClient(server: Server, metrics: BootMetrics): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const peer = socket.remoteAddress ?? '';
    const count = (open.get(peer) ?? 0) + 1;
    open.set(peer, count);
    socket.once('close', () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left <= 0) open.delete(peer);
      else open.set(peer, left);
    });
    if (count > HTTP_LIMITS.connectionsPerClient) {
      metrics.drop('http', 'too-many-connections');
      socket.destroy();
    }
  });
}
