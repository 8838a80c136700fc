import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { toBinary, type Message } from '@bufbuild/protobuf';
import {
  Metadata,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { ApiError, Code } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import { encodeInTurns } from './encode-in-turns.ts';
import { maxRequestBytes, type ServerLimits } from './limits.ts';
import type { IncomingCall, PipelineMethod, ReadRequest } from './pipeline.ts';
import { readBinary } from './request-message.ts';

/** A request as it came: it is unpacked when its caller was let in, and garbage gets our status and is counted. */
type Request = ReadRequest;

/** Mounts every method on a grpc-js server that listens nowhere; see `grpc-adapter.ts` for how it gets its streams. */
export function createGrpcServer(
  methods: readonly PipelineMethod[],
  limits: ServerLimits,
  stopSignal: AbortSignal,
): Server {
  const server = new Server({
    'grpc.max_receive_message_length': limits.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': limits.pingIntervalMs,
    'grpc.keepalive_timeout_ms': limits.pingTimeoutMs,
    'grpc.enable_channelz': 0,
  });
  for (const method of methods) {
    const { name, methodKind } = method.desc;
    const call = CALLS[methodKind](method, stopSignal);
    server.addService(Object.fromEntries([[name, definition(method, limits)]]), Object.fromEntries([[name, call]]));
  }
  return server;
}

const CALLS = {
  unary: unaryCall,
  server_streaming: streamCall,
  bidi_streaming: bidiCall,
  // bindService refuses it.
  client_streaming: unaryCall,
} as const;

function definition(method: PipelineMethod, limits: ServerLimits): ServiceDefinition[string] {
  const { desc } = method;
  const most = maxRequestBytes(method, limits);
  const requestStream = desc.methodKind === 'bidi_streaming';
  return {
    path: methodPath(desc),
    requestStream,
    responseStream: desc.methodKind !== 'unary',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize:
      (bytes: Buffer): Request =>
      () => {
        if (bytes.length > most) {
          throw new ApiError(
            Code.ResourceExhausted,
            `a request of ${desc.name} has ${most} bytes at most, not ${bytes.length}`,
          );
        }
        return readBinary(desc.input, bytes);
      },
    responseSerialize: (message: Message) => {
      const bytes = toBinary(desc.output, message);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}

function unaryCall(method: PipelineMethod, stopSignal: AbortSignal) {
  return async (call: ServerUnaryCall<Request, Message>, callback: UnaryCallback): Promise<void> => {
    const incoming = incomingCall(call, stopSignal);
    let answer: Parameters<UnaryCallback>;
    try {
      const response = await method.unary(call.request, incoming);
      answer = [null, await encodeInTurns(method.desc.output, response)];
    } catch (error) {
      answer = [status(error)];
    }
    callback(...answer);
  };
}

type UnaryCallback = (error: object | null, value?: Message) => void;

function streamCall(method: PipelineMethod, stopSignal: AbortSignal) {
  return async (call: ServerWritableStream<Request, Message>): Promise<void> => {
    const incoming = incomingCall(call, stopSignal);
    try {
      await pump(method.stream(call.request, incoming), call, incoming.signal);
      call.end();
    } catch (error) {
      call.emit('error', status(error));
    }
  };
}

function bidiCall(method: PipelineMethod, stopSignal: AbortSignal) {
  return async (call: ServerDuplexStream<Request, Message>): Promise<void> => {
    const incoming = incomingCall(call, stopSignal);
    try {
      await pump(method.bidi(requestsOf(call), incoming), call, incoming.signal);
      call.end();
    } catch (error) {
      call.emit('error', status(error));
    }
  };
}

async function* requestsOf(call: ServerDuplexStream<Request, Message>): AsyncGenerator<Message> {
  // Whoever has read enough still wants to answer.
  const requests: AsyncIterable<Request> = call.iterator({ destroyOnReturn: false });
  for await (const request of requests) yield request();
}

/** Moves messages to the client one by one: the next is asked for when HTTP/2 flow control has let the last one out. */
async function pump(messages: AsyncGenerator<Message>, call: Writable, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  // Between two races nobody listens; the rejection is seen by the next one.
  aborted.catch(() => undefined);
  try {
    for (;;) {
      const next = await Promise.race([messages.next(), aborted]);
      if (next.done === true) return;
      await Promise.race([written(call, next.value), aborted]);
    }
  } finally {
    // A handler that ignores its signal must not keep the call from ending.
    messages.return(undefined).catch(() => undefined);
  }
}

function written(call: Writable, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    call.write(message, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

type AnyCall =
  | ServerUnaryCall<Request, Message>
  | ServerWritableStream<Request, Message>
  | ServerDuplexStream<Request, Message>;

function incomingCall(call: AnyCall, stopSignal: AbortSignal): IncomingCall {
  const cancelled = new AbortController();
  const emitter: EventEmitter = call;
  emitter.on('cancelled', () => cancelled.abort(new ApiError(Code.Canceled, 'the client has cancelled the call')));
  const header = (name: string): string | undefined => {
    const value = call.metadata.get(name)[0];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    authorization: header('authorization'),
    idempotencyKey: header('idempotency-key'),
    peer: peerOf(call.getPeer()),
    signal: AbortSignal.any([cancelled.signal, stopSignal]),
  };
}

// grpc-js says "unknown" where a socket has no address.
function peerOf(peer: string): string {
  return peer === 'unknown' ? 'unix' : peer;
}

function status(error: unknown): { code: number; details: string; metadata: Metadata } {
  if (error instanceof ApiError) {
    const metadata = new Metadata();
    if (error.retryAfterMs !== undefined) metadata.set('grpc-retry-pushback-ms', String(Math.ceil(error.retryAfterMs)));
    return { code: error.code, details: error.message, metadata };
  }
  return { code: Code.Internal, details: 'internal error', metadata: new Metadata() };
}
