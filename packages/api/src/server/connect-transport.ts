import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import {
  Code as ConnectCode,
  ConnectError,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ApiError, codeFromNumber } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import { encodeInTurns } from './encode-in-turns.ts';
import type { ServerLimits } from './limits.ts';
import type { IncomingCall, PipelineMethod } from './pipeline.ts';

const peerKey = createContextKey('unknown', { description: 'address of the client' });

export type ConnectHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** Mounts every method for the Connect and the gRPC-Web protocol, over HTTP/1.1 and HTTP/2. */
export function createConnectHandler(
  services: readonly DescService[],
  methods: readonly PipelineMethod[],
  limits: ServerLimits,
  stopSignal: AbortSignal,
): ConnectHandler {
  const byPath = new Map(methods.map((method) => [methodPath(method.desc), method]));
  return connectNodeAdapter({
    grpc: false,
    grpcWeb: true,
    connect: true,
    readMaxBytes: limits.maxMessageBytes,
    shutdownSignal: stopSignal,
    contextValues: (request) => createContextValues().set(peerKey, peerOf(request)),
    routes: (router) => {
      for (const service of services) {
        for (const desc of service.methods) {
          const method = byPath.get(methodPath(desc));
          if (method !== undefined) router.rpc(desc, implementation(desc, method), handlerLimits(desc, limits));
        }
      }
    },
  });
}

// The router wants the precise type of a method that only its descriptor knows; both kinds fit at run time.
function implementation(desc: DescMethod, method: PipelineMethod): never {
  const unary = async (request: Message, context: HandlerContext): Promise<Message> => {
    try {
      const response = await method.unary(request, incomingCall(context));
      return isBinary(context) ? await encodeInTurns(desc.output, response) : response;
    } catch (error) {
      throw connectError(error);
    }
  };
  async function* stream(request: Message, context: HandlerContext): AsyncGenerator<Message> {
    try {
      yield* method.stream(request, incomingCall(context));
    } catch (error) {
      throw connectError(error);
    }
  }
  async function* bidi(requests: AsyncIterable<Message>, context: HandlerContext): AsyncGenerator<Message> {
    try {
      yield* method.bidi(readable(requests), incomingCall(context));
    } catch (error) {
      throw connectError(error);
    }
  }
  const kinds = { unary, server_streaming: stream, bidi_streaming: bidi, client_streaming: unary };
  // oxlint-disable-next-line no-unsafe-type-assertion -- the one cast of this adapter
  return kinds[desc.methodKind] as never;
}

/** What connect-node finds wrong with a request of a stream, as an error of ours. */
async function* readable(requests: AsyncIterable<Message>): AsyncGenerator<Message> {
  try {
    yield* requests;
  } catch (error) {
    if (error instanceof ConnectError)
      throw new ApiError(codeFromNumber(error.code), error.rawMessage, { cause: error });
    throw error;
  }
}

function handlerLimits(desc: DescMethod, { maxMessageBytes, maxStreamRequestBytes }: ServerLimits): object {
  return { readMaxBytes: desc.methodKind === 'bidi_streaming' ? maxStreamRequestBytes : maxMessageBytes };
}

function incomingCall(context: HandlerContext): IncomingCall {
  return {
    authorization: context.requestHeader.get('authorization') ?? undefined,
    idempotencyKey: context.requestHeader.get('idempotency-key') ?? undefined,
    peer: context.values.get(peerKey),
    signal: context.signal,
  };
}

/** Whether the answer is binary, too: it is what the request is. */
function isBinary({ requestHeader }: HandlerContext): boolean {
  return /^application\/(?:proto|grpc-web(?:\+proto)?)(?:;|$)/.test(requestHeader.get('content-type') ?? '');
}

function peerOf(request: IncomingMessage | Http2ServerRequest): string {
  const { remoteAddress, remotePort } = request.socket;
  if (remoteAddress === undefined) return 'unix';
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

// Connect's codes have gRPC's names.
function connectError(error: unknown): ConnectError {
  if (error instanceof ApiError) {
    const { retryAfterMs } = error;
    const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
    return new ConnectError(error.message, ConnectCode[error.codeName], headers);
  }
  return new ConnectError('internal error', ConnectCode.Internal);
}
