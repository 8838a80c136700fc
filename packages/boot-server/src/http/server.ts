import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, InterfaceWatch, Libc } from '@ingot/net';
import type { BodySender } from './body/sender.ts';
import { trackConnections } from './connections.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import type { HttpListen } from './listen.ts';
import { createListener, listenAnew, listenOn, type Listener } from './listener.ts';
import { parseRequest } from './request.ts';
import { answer, type HttpRoutes } from './routes.ts';
import { loadTls, watchTls, type TlsPair, type TlsWatch } from './tls.ts';

export interface HttpServerComponents extends HttpRoutes {
  readonly clock: Clock;
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
  /** Looks now whether there are new certificates. */
  renew(): Promise<void>;
  /** Takes no more connections, lets what is being sent go to its end, within a deadline. */
  stop(): Promise<void>;
}

/** Serves scripts, boot files and machine configurations. Rejects with BootServerError LISTEN_FAILED, FILE_UNUSABLE. */
export async function startHttpServer(
  components: HttpServerComponents,
  listen: readonly HttpListen[],
): Promise<HttpServer> {
  const { clock, log, metrics, bodies } = components;
  const limits: HttpLimits = { ...HTTP_LIMITS, ...components.limits };
  const connections = trackConnections(clock, metrics, limits);
  const servers: Listener[] = [];
  const ports: number[] = [];
  const unwatch: (() => void)[] = [];
  const certificates: TlsWatch[] = [];
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    connections.answering(response);
    handle(components, incoming, response).catch((error: unknown) => {
      metrics.drop('http', 'internal');
      // What stands behind the path may open something.
      const path = incoming.url?.split('?', 1)[0];
      log.error({ err: error, path }, 'a request could not be answered: this is a bug, please report it');
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
  const stop = async (): Promise<void> => {
    for (const each of unwatch) each();
    for (const each of certificates) each.stop();
    for (const server of servers) server.close();
    await connections.drain();
    await bodies.stop();
  };
  try {
    for (const place of listen) {
      const { tls: files } = place;
      const tls = files === undefined ? undefined : await loadTls(files);
      const server = createListener({ log, metrics, limits, connections, tls, onRequest });
      if (files !== undefined && tls !== undefined && 'setSecureContext' in server) {
        const use = (next: TlsPair): void => server.setSecureContext(next);
        certificates.push(watchTls({ clock, log, files, use }, tls));
      }
      ports.push(await listenOn(server, place, components.libc));
      servers.push(server);
      server.on('error', (error) => log.error({ err: error }, 'HTTP listener'));
      if (place.interface !== undefined && components.interfaces !== undefined)
        unwatch.push(components.interfaces.follow(place.interface, () => listenAnew(server, place, components.libc)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const renew = async (): Promise<void> => {
    await Promise.all(certificates.map((each) => each.look()));
  };
  return { ports, renew, stop };
}

async function handle(
  components: HttpServerComponents,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = parseRequest(incoming, response, components.bodies);
  if (request === undefined) {
    components.metrics.drop('http', 'bad-request');
    const isMethod = incoming.method !== 'GET' && incoming.method !== 'HEAD';
    response.writeHead(isMethod ? 405 : 400, { allow: 'GET, HEAD', connection: 'close', 'content-length': 0 }).end();
    return;
  }
  return answer(request, components);
}
