/* oxlint-disable no-underscore-dangle -- the name is grpc-js's */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/**
 * grpc-js can take over a connection (`createConnectionInjector`) but not a single stream of a connection that it shares
 * with Connect. `_setupHandlers` is the private method which it uses for both: it puts a stream and a session listener on
 * an HTTP/2 server. This file hands it a server that listens nowhere and emits the streams that are gRPC's.
 * `test/grpc-adapter.test.ts` fails when an update of grpc-js takes this away.
 */
interface StreamHandling {
  _setupHandlers(server: Http2Server, extraInterceptors: readonly unknown[]): void;
}

export interface GrpcMount {
  /** Gives a session to grpc-js, which pings it and drops it when it does not answer. */
  session(session: ServerHttp2Session): void;
  /** Gives a stream to grpc-js. */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number): void;
}

/** Throws if grpc-js has no such method any more. */
export function mountGrpcServer(server: Server): GrpcMount {
  // oxlint-disable-next-line no-unsafe-type-assertion -- checked in the next line
  const handling = server as unknown as Partial<StreamHandling>;
  if (typeof handling._setupHandlers !== 'function') {
    throw new TypeError('this version of @grpc/grpc-js has no Server._setupHandlers: see grpc-adapter.ts');
  }
  const unlistening = createServer();
  handling._setupHandlers(unlistening, []);
  if (unlistening.listenerCount('stream') === 0 || unlistening.listenerCount('session') === 0) {
    throw new TypeError('Server._setupHandlers of this version of @grpc/grpc-js sets no stream and session listeners');
  }
  return {
    session: (session) => void unlistening.emit('session', session),
    stream: (stream, headers, flags) => void unlistening.emit('stream', stream, headers, flags),
  };
}
