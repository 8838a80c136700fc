import type { EventEmitter } from 'node:events';
import { fromBinary, toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import {
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { ApiError, Code } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import type { ServerLimits } from './limits.ts';
import type { IncomingCall, PipelineMethod } from './pipeline.ts';

/** A request as the decoder leaves it: garbage is a value, so that it gets our status and is counted like other calls. */
type Request = { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly reason: string };

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
    const call = method.desc.methodKind === 'unary' ? unaryCall(method, stopSignal) : streamCall(method, stopSignal);
    const { name } = method.desc;
    server.addService(Object.fromEntries([[name, definition(method.desc)]]), Object.fromEntries([[name, call]]));
  }
  return server;
}

function definition(desc: DescMethod): ServiceDefinition[string] {
  return {
    path: methodPath(desc),
    requestStream: false,
    responseStream: desc.methodKind === 'server_streaming',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer): Request => {
      try {
        return { ok: true, message: fromBinary(desc.input, bytes) };
      } catch (error) {
        return { ok: false, reason: error instanceof Error ? error.message : String(error) };
      }
    },
    responseSerialize: (message: Message) => Buffer.from(toBinary(desc.output, message)),
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}

function unaryCall(method: PipelineMethod, stopSignal: AbortSignal) {
  return async (call: ServerUnaryCall<Request, Message>, callback: UnaryCallback): Promise<void> => {
    const incoming = incomingCall(call, stopSignal);
    let answer: Parameters<UnaryCallback>;
    try {
      answer = [null, await method.unary(messageOf(call.request, method), incoming)];
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
      await pump(method.stream(messageOf(call.request, method), incoming), call, incoming.signal);
      call.end();
    } catch (error) {
      call.emit('error', status(error));
    }
  };
}

/** Moves messages to the client one by one: the next is asked for when HTTP/2 flow control has let the last one out. */
async function pump(
  messages: AsyncGenerator<Message>,
  call: ServerWritableStream<Request, Message>,
  signal: AbortSignal,
): Promise<void> {
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

function written(call: ServerWritableStream<Request, Message>, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    call.write(message, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

function messageOf(request: Request, method: PipelineMethod): Message {
  if (request.ok) return request.message;
  throw new ApiError(Code.InvalidArgument, `cannot read ${method.desc.input.typeName}: ${request.reason}`);
}

type AnyCall = ServerUnaryCall<Request, Message> | ServerWritableStream<Request, Message>;

function incomingCall(call: AnyCall, stopSignal: AbortSignal): IncomingCall {
  const cancelled = new AbortController();
  const emitter: EventEmitter = call;
  emitter.on('cancelled', () => cancelled.abort(new ApiError(Code.Canceled, 'the client has cancelled the call')));
  const authorization = call.metadata.get('authorization')[0];
  return {
    authorization: typeof authorization === 'string' ? authorization : undefined,
    peer: peerOf(call.getPeer()),
    signal: AbortSignal.any([cancelled.signal, stopSignal]),
  };
}

// grpc-js says "unknown" where a socket has no address.
function peerOf(peer: string): string {
  return peer === 'unknown' ? 'unix' : peer;
}

function status(error: unknown): { code: number; details: string; metadata: Metadata } {
  if (error instanceof ApiError) return { code: error.code, details: error.message, metadata: new Metadata() };
  return { code: Code.Internal, details: 'internal error', metadata: new Metadata() };
}
