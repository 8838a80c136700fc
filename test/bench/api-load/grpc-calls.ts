import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';

/**
 * gRPC over HTTP/2 and TLS as the protocol has it, and no more: the load must cost less than what it is set upon, so
 * messages come encoded, and answers are only taken apart by whoever wants to read them.
 */
export interface Connection extends Disposable {
  /** Resolves with the first message of the answer. Rejects with the status and its words. */
  call(path: string, token: string, message: Uint8Array): Promise<Buffer>;
  /** `onMessage` gets each message; `ended` resolves with the status and its words when the stream is over. */
  stream(path: string, token: string, message: Uint8Array, onMessage: (message: Buffer) => void): OpenStream;
}

export interface OpenStream extends Disposable {
  /** `0` for success. */
  readonly ended: Promise<string>;
}

// Length-prefixed message: one byte of flags, four of length (gRPC over HTTP/2).
const PREFIX_BYTES = 5;
const NO_ERROR = 0;
const CANCEL = 8;

/** Resolves when the TLS handshake is done. */
export async function openConnection(url: string, ca: string): Promise<Connection> {
  const session = connect(url, { ca });
  // Calls under way are rejected by their own streams.
  session.on('error', () => undefined);
  await once(session, 'connect');
  session.unref();
  return {
    async call(path, token, message) {
      const answer = Promise.withResolvers<Buffer>();
      let first: Buffer | undefined;
      const { ended } = send(session, path, token, message, (received) => {
        first ??= received;
      });
      const status = await ended;
      if (status === '0' && first !== undefined) answer.resolve(first);
      else answer.reject(new Error(`status ${status}`));
      return answer.promise;
    },
    stream: (path, token, message, onMessage) => send(session, path, token, message, onMessage),
    [Symbol.dispose]: () => session.destroy(),
  };
}

function send(
  session: ClientHttp2Session,
  path: string,
  token: string,
  message: Uint8Array,
  onMessage: (message: Buffer) => void,
): OpenStream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${token}`,
  });
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  stream.end(framed);
  return { ended: whenEnded(stream, onMessage), [Symbol.dispose]: () => stream.close(CANCEL) };
}

function whenEnded(stream: ClientHttp2Stream, onMessage: (message: Buffer) => void): Promise<string> {
  let rest: Buffer = Buffer.alloc(0);
  let status: string | undefined;
  const note = (headers: IncomingHttpHeaders): void => {
    const code = headers['grpc-status'];
    if (code === '0') status = '0';
    else if (code !== undefined)
      status = `${String(code)} ${decodeURIComponent(String(headers['grpc-message'] ?? ''))}`;
  };
  // A call that fails at once has its status in the only headers.
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', (part: Buffer) => {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part]);
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) break;
      onMessage(rest.subarray(PREFIX_BYTES, end));
      rest = rest.subarray(end);
    }
  });
  return new Promise((resolve) => {
    stream.on('error', (error) => resolve(`broken: ${error.message}`));
    stream.on('close', () => resolve(status ?? `broken: reset ${stream.rstCode ?? NO_ERROR}`));
  });
}
