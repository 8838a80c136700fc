import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ApiError } from '../errors.ts';
import { endAnswered } from './end-stream.ts';
import type { UnfinishedRequests } from './unfinished-requests.ts';

/**
 * Keeps the request of a gRPC stream within bounds while it comes. To be called when grpc-js listens to the stream, and
 * in the same turn: what is read then is heard by both.
 */
export function boundGrpcRequest(stream: ServerHttp2Stream, unfinished: UnfinishedRequests): void {
  if (stream.destroyed || stream.readableEnded) return;
  const request = unfinished.begin((reason) => refuse(stream, reason));
  stream.on('data', (part: Buffer) => request.take(part.length));
  stream.once('end', () => request.end());
  stream.once('close', () => request.end());
}

/** "Trailers-Only": https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */
function refuse(stream: ServerHttp2Stream, reason: ApiError): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) {
    stream.respond(
      {
        [constants.HTTP2_HEADER_STATUS]: 200,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
        'grpc-status': reason.code,
        'grpc-message': encodeURIComponent(reason.message),
      },
      { endStream: true },
    );
  }
  endAnswered(stream);
}
