import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';
import { AdminRefusal, type AdminRoute, type AdminRoutes } from './routes.ts';
import { listenOnSocket } from './socket.ts';

export interface AdminServer {
  stop(): Promise<void>;
}

/** A person, and perhaps a script of theirs. */
const ADMIN_LIMITS = {
  connections: 16,
  bodyBytes: 65_536,
  requestTimeoutMs: 10_000,
} as const;

/** Answers JSON over HTTP on a unix socket. Rejects with BootServerError LISTEN_FAILED. */
export async function startAdminServer(
  components: { readonly log: Logger; readonly routes: AdminRoutes },
  path: string,
): Promise<AdminServer> {
  const { log, routes } = components;
  const server = createServer(
    { headersTimeout: ADMIN_LIMITS.requestTimeoutMs, requestTimeout: ADMIN_LIMITS.requestTimeoutMs },
    (request, response) => {
      handle(request, routes)
        .then((value) => send(response, 200, value))
        .catch((error: unknown) => {
          if (error instanceof AdminRefusal)
            return send(response, error.status, { code: error.code, message: error.message });
          log.error({ err: error, url: request.url }, 'an admin request could not be answered');
          send(response, 500, { code: 'internal', message: wordsOf(error) });
        });
    },
  );
  server.maxConnections = ADMIN_LIMITS.connections;
  await listenOnSocket(server, path);
  server.on('error', (error) => log.warn({ err: error }, 'admin socket'));
  return {
    stop: () =>
      new Promise((resolve) => {
        // Node unlinks the socket.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(request: IncomingMessage, routes: AdminRoutes): Promise<unknown> {
  const url = URL.parse(request.url ?? '', 'http://boot-server');
  if (url === null) throw new AdminRefusal(400, 'bad_request', 'this is no URL');
  const [root, version, name = '', ...rest] = url.pathname.split('/');
  const route: AdminRoute | undefined = root === '' && version === 'v1' ? routes.get(name) : undefined;
  if (route === undefined)
    throw new AdminRefusal(404, 'not_found', `known are ${[...routes.keys()].map((each) => `/v1/${each}`).join(', ')}`);
  if (request.method !== route.method)
    throw new AdminRefusal(405, 'wrong_method', `ask /v1/${name} by ${route.method}`);
  const path = rest.map((part) => decodePart(part));
  return route.answer({
    path,
    query: url.searchParams,
    body: route.method === 'POST' ? await readBody(request) : undefined,
  });
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AdminRefusal(400, 'bad_request', 'the path is not percent-encoded as it should be');
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.byteLength;
    if (size > ADMIN_LIMITS.bodyBytes)
      throw new AdminRefusal(413, 'too_large', `send at most ${ADMIN_LIMITS.bodyBytes} bytes`);
    parts.push(part);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new AdminRefusal(400, 'bad_request', `the body is no JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.byteLength,
    'cache-control': 'no-store',
  });
  response.end(body);
}
