import { constants, type ServerHttp2Stream } from 'node:http2';

/** Frames leave in one of the next turns of the event loop, unless the client reads nothing at all. */
const MAX_TURNS = 100;

/**
 * RFC 9113, section 8.1: who has answered wants no more of the request, and says so. Until then the client goes on, and the
 * stream stays open. Not before the answer has left: it would be lost.
 */
export function endAnswered(stream: ServerHttp2Stream, patience: number = MAX_TURNS): void {
  if (stream.destroyed || stream.closed || stream.readableEnded) return;
  if (stream.state.localClose !== 1 && patience > 0) setImmediate(endAnswered, stream, patience - 1);
  else {
    stream.close(constants.NGHTTP2_NO_ERROR);
    // Node keeps a stream for as long as somebody might read what has come of its request.
    setImmediate(() => stream.destroy());
  }
}

/** Ends a stream whose answer comes later, as soon as that has left. */
export function endWithAnswer(stream: ServerHttp2Stream): void {
  // Node asks for trailers when all else has left, and then sends them, or none.
  stream.once('wantTrailers', () => endAnswered(stream));
  stream.once('finish', () => endAnswered(stream));
}
