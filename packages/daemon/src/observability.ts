import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createConnection } from 'node:net';
import { DaemonError, DaemonErrorCode } from './errors.ts';
import type { Health } from './health.ts';
import { parseListenAddress, type ListenAddress } from './listen-address.ts';
import type { Metrics } from './metrics.ts';

export interface ObservabilityOptions {
  /** `address:port` (port 0: any) or `unix:/path`. */
  readonly listen: string;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly onError: (error: Error) => void;
}

/** The endpoint that monitoring asks. */
export interface Observability {
  /** Where it listens, in the form of `listen` and with the real port. */
  readonly address: string;
  stop(): Promise<void>;
}

// A scraper sends a few hundred bytes and is done at once; anything else is a mistake or an attack.
const MAX_HEADER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 64;
const SOCKET_MODE = 0o660;

/** Serves `/metrics`, `/healthz` and `/readyz`. Rejects with DAEMON_LISTEN when it cannot listen. */
export async function startObservability(options: ObservabilityOptions): Promise<Observability> {
  const { listen, onError } = options;
  const where = parseListenAddress(listen);
  if (where === undefined) {
    throw new DaemonError(
      DaemonErrorCode.Listen,
      `metrics: "${listen}" is no address; write 127.0.0.1:2113 or unix:/path`,
    );
  }
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => {
        onError(error instanceof Error ? error : new Error(String(error)));
        if (!response.headersSent) reply(response, 500, 'text/plain; charset=utf-8', 'internal error; see the log\n');
        else response.destroy();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await bind(server, where, listen);
  server.on('error', onError);
  const bound = server.address();
  const address =
    bound === null || typeof bound === 'string' ? listen : listen.replace(/:\d+$/, `:${String(bound.port)}`);
  return {
    address,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ObservabilityOptions,
): Promise<void> {
  const path = request.url?.split('?')[0];
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
    reply(response, 404, 'text/plain; charset=utf-8', 'not found; here are /metrics, /healthz and /readyz\n');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    reply(response, 405, 'text/plain; charset=utf-8', 'use GET\n');
    return;
  }
  if (path === '/metrics') {
    reply(response, 200, options.metrics.contentType, await options.metrics.text());
  } else if (path === '/healthz') {
    reply(response, 200, 'application/json', `${JSON.stringify({ status: 'live' })}\n`);
  } else {
    const { ready, checks } = await options.health.readiness();
    const failing = Object.entries(checks).flatMap(([name, result]) => (result.ok ? [] : [[name, result.reason]]));
    const body = {
      status: ready ? 'ready' : 'not ready',
      failing: Object.fromEntries(failing),
      checks: Object.keys(checks),
    };
    reply(response, ready ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`);
  }
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  // Node leaves the body away itself when the request was HEAD.
  response.end(body);
}

async function bind(server: Server, where: ListenAddress, listen: string): Promise<void> {
  try {
    if (where.kind === 'unix') await removeStaleSocket(where.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = (): void => {
        server.off('error', reject);
        resolve();
      };
      if (where.kind === 'unix') server.listen({ path: where.path }, done);
      else server.listen({ host: where.address, port: where.port, exclusive: true }, done);
    });
    if (where.kind === 'unix') await chmod(where.path, SOCKET_MODE);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const advice = words.includes('EADDRINUSE') ? '; another process has it: stop that, or configure another' : '';
    throw new DaemonError(DaemonErrorCode.Listen, `metrics: cannot listen on ${listen}: ${words}${advice}`, error);
  }
}

/** Takes away the socket of a process that was killed; never one that is served, and no other file. */
async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (stats) => stats.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const served = await new Promise<boolean>((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!served) await unlink(path);
}
