import { rm } from 'node:fs/promises';
import { createServer as createHttp1Server } from 'node:http';
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { systemClock, systemEntropy, type Clock, type Entropy } from '@ingot/net';
import { ApiError, Code } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import type { BoundService } from '../handlers.ts';
import { createConnectHandler } from './connect-transport.ts';
import { createConnections, type OnRefusal } from './connections.ts';
import { mountGrpcServer } from './grpc-adapter.ts';
import { createGrpcServer } from './grpc-transport.ts';
import { endWithAnswer } from './end-stream.ts';
import { boundGrpcRequest } from './grpc-request.ts';
import { defaultServerLimits, type ServerLimits } from './limits.ts';
import { listen, parseListenTarget } from './listen.ts';
import { createPipeline, type PipelineOptions } from './pipeline.ts';
import { createUnfinishedRequests } from './unfinished-requests.ts';

export interface TlsIdentity {
  /** PEM: the server's certificate, then those that it was signed with. */
  readonly cert: string;
  /** PEM, unencrypted. */
  readonly key: string;
}

export interface ApiServerOptions<Caller> extends Omit<PipelineOptions<Caller>, 'bounds' | 'clock' | 'entropy'> {
  /** Made by `bindService`. */
  readonly services: readonly BoundService<Caller>[];
  readonly tls: TlsIdentity;
  /** `10.0.0.1:9443`, `[::1]:9443`, `:9443` (all addresses), `unix:/path`; port 0 picks a free one. TLS everywhere. */
  readonly listen: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Told about connections and requests that had to go although they had done nothing wrong by HTTP. */
  readonly onRefusal?: OnRefusal;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
}

/** How often Node looks for requests on HTTP/1.1 that take too long. */
const HTTP1_LOOK_MS = 5_000;

/** gRPC, gRPC-Web and Connect on the same TLS port. */
export interface ApiServer {
  /** Listens. Rejects if any address cannot be had; then none is kept. */
  start(): Promise<void>;
  /** Ends running calls with `Unavailable` and closes every connection. */
  stop(): Promise<void>;
  /** Where it listens, as given to `listen` but with real ports. Empty before `start`. */
  readonly addresses: readonly string[];
  /** Uses another certificate for connections from now on. */
  setTls(identity: TlsIdentity): void;
}

/**
 * Serves the same handlers over gRPC (grpc-js) and over gRPC-Web and Connect (connect-node).
 * ALPN picks HTTP/2 or HTTP/1.1; on HTTP/2 the content type of every stream picks the implementation.
 */
export function createApiServer<Caller>(options: ApiServerOptions<Caller>): ApiServer {
  const limits = { ...defaultServerLimits, ...options.limits };
  const pipeline = { clock: systemClock, entropy: systemEntropy, bounds: limits, ...options };
  const methods = options.services.flatMap((bound) => bound.methods.map((method) => createPipeline(method, pipeline)));
  const targets = options.listen.map(parseListenTarget);

  const { clock, onRefusal = () => undefined } = pipeline;
  const connections = createConnections(limits, clock, onRefusal);
  const unfinished = createUnfinishedRequests(limits, clock);
  const stopping = new AbortController();
  const grpc = mountGrpcServer(createGrpcServer(methods, limits, stopping.signal));
  const connect = createConnectHandler(
    options.services.map((bound) => bound.service),
    methods,
    limits,
    unfinished,
    stopping.signal,
  );

  const http1 = createHttp1Server(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.requestTimeoutMs,
      // The answer to a request that takes too long comes first; this ends what is in the middle of no call.
      requestTimeout: limits.requestTimeoutMs + HTTP1_LOOK_MS,
      connectionsCheckingInterval: HTTP1_LOOK_MS,
    },
    (request, response) => {
      // Whoever listens for it may have left by the time it comes, and it would end the process.
      request.on('error', () => undefined);
      if (!connections.request(request, response)) return;
      // What is left of a request that was refused is nobody's to read.
      response.once('finish', () => {
        if (!request.complete) request.socket.destroySoon();
      });
      connect(request, response);
    },
  );
  // Node starts a server's header and request timeouts, and its list of idle connections, with this event; this one gets
  // its connections from the TLS listeners and would never see it.
  http1.emit('listening');
  const connectHttp2 = createHttp2Server({}, connect);
  const bidirectional = new Set(
    methods.filter(({ desc }) => desc.methodKind === 'bidi_streaming').map(({ desc }) => methodPath(desc)),
  );
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: limits.maxStreamsPerConnection, maxHeaderListSize: limits.maxHeaderBytes },
  });
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A broken connection is the client's affair; without a listener it would end the process.
    session.on('error', () => session.destroy());
    connections.session(session);
    grpc.session(session);
  });
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => {
    stream.on('error', () => undefined);
    connections.stream(stream);
    if (isGrpc(headers['content-type'])) {
      grpc.stream(stream, headers, flags);
      // The others are bounded message by message.
      if (!bidirectional.has(headers[':path'] ?? '')) boundGrpcRequest(stream, unfinished);
    } else {
      endWithAnswer(stream);
      connectHttp2.emit('stream', stream, headers, flags);
    }
  });

  const listeners = targets.map((): TlsServer => {
    const server = createTlsServer({
      ...options.tls,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.handshakeTimeoutMs,
    });
    server.on('connection', (socket: Socket) => connections.accept(socket));
    server.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      connections.secured(socket);
      (socket.alpnProtocol === 'h2' ? http2 : http1).emit('connection', socket);
    });
    // A failed handshake: its socket is closed by Node, and nothing was asked yet.
    server.on('tlsClientError', () => undefined);
    return server;
  });

  let addresses: string[] = [];

  const close = async (): Promise<void> => {
    const closed = listeners.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    http1.closeIdleConnections();
    http1.close();
    for (const session of sessions) session.close();
    const patience = clock.setTimeout(() => connections.destroyAll(), limits.stopTimeoutMs);
    await Promise.all(closed);
    patience.cancel();
  };

  return {
    get addresses() {
      return addresses;
    },
    async start() {
      try {
        addresses = await Promise.all(
          listeners.map(async (server, index) => {
            const target = targets[index] ?? {};
            // What a killed server has left behind; a living one would still be asked to be stopped by its operator.
            if (target.path !== undefined) await rm(target.path, { force: true });
            return listen(server, target);
          }),
        );
      } catch (error) {
        await close();
        throw error;
      }
    },
    async stop() {
      stopping.abort(new ApiError(Code.Unavailable, 'the server is stopping; try again'));
      await close();
      addresses = [];
    },
    setTls(identity) {
      for (const server of listeners) server.setSecureContext({ ...identity, minVersion: 'TLSv1.2' });
    },
  };
}

function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:\+|;|$)/.test(contentType);
}
