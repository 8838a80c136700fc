import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import {
  Code as ConnectCode,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type ContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { ApiError, Code, codeFromNumber } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import { peerOf } from './connections.ts';
import { encodeInTurns } from './encode-in-turns.ts';
import { maxRequestBytes, type ServerLimits } from './limits.ts';
import type { Admission, IncomingCall, PipelineMethod } from './pipeline.ts';
import { wholeBody } from './request-body.ts';
import { checkMessage, ENVELOPE } from './request-message.ts';
import { MAX_VALUES } from './request-weight.ts';
import type { UnfinishedRequests } from './unfinished-requests.ts';

const peerKey = createContextKey('unknown', { description: 'address of the client' });
const admissionKey = createContextKey<Admission | undefined>(undefined, { description: 'that the caller was let in' });

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;
export type ConnectHandler = (request: NodeRequest, response: NodeResponse) => void;

/**
 * What is packed can only be weighed when it is unpacked; until then it may be no longer than what needs no weighing.
 * gRPC unpacks by itself, and is weighed thereafter.
 */
const COMPRESSIONS = [compressionGzip, compressionBrotli].map((compression) => ({
  ...compression,
  decompress: (bytes: Uint8Array, most: number) => compression.decompress(bytes, Math.min(most, MAX_VALUES)),
}));

/** Mounts every method for the Connect and the gRPC-Web protocol, over HTTP/1.1 and HTTP/2. */
export function createConnectHandler(
  services: readonly DescService[],
  methods: readonly PipelineMethod[],
  limits: ServerLimits,
  unfinished: UnfinishedRequests,
  stopSignal: AbortSignal,
): ConnectHandler {
  const byPath = new Map(methods.map((method) => [methodPath(method.desc), method]));
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: true,
    connect: true,
    acceptCompression: COMPRESSIONS,
    shutdownSignal: stopSignal,
  });
  for (const desc of services.flatMap((service) => service.methods)) {
    const method = byPath.get(methodPath(desc));
    if (method === undefined) continue;
    router.rpc(desc, implementation(desc, method), {
      readMaxBytes: maxRequestBytes(method, limits),
      requestGate: async (context) => {
        const admission = await shown(method.letIn(incomingCall(context)));
        context.values.set(admissionKey, admission);
      },
    });
  }
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  /** Rejects when the client has left before its answer. */
  const answer = async (request: NodeRequest, response: NodeResponse): Promise<void> => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const [handler, method] = [handlers.get(path), byPath.get(path)];
    if (handler === undefined || method === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const values = createContextValues().set(peerKey, peerOf(request.socket));
    const asked = universalRequestFromNodeRequest(request, response, undefined, values);
    const { body } = asked;
    const isOneMessage = method.desc.methodKind !== 'bidi_streaming';
    const given =
      isOneMessage && typeof body === 'object' && body !== null && Symbol.asyncIterator in body
        ? shownParts(
            wholeBody(body, {
              unfinished,
              maxBytes: maxRequestBytes(method, limits) + ENVELOPE,
              check: (whole) => checkMessage(method.desc, request.headers, whole),
            }),
            (reason) => method.unreadable({ ...callOf(request, values), signal: asked.signal }, reason),
          )
        : body;
    await universalResponseToNodeResponse(await handler({ ...asked, body: given }), response);
  };
  // The pipeline has told of calls that failed; what is left is a client that is gone, and its connection with it.
  return (request, response) => void answer(request, response).catch(() => response.destroy());
}

function callOf({ headers }: NodeRequest, values: ContextValues): Omit<IncomingCall, 'signal'> {
  return {
    authorization: headers.authorization,
    idempotencyKey: undefined,
    peer: values.get(peerKey),
    admission: values.get(admissionKey),
  };
}

// The router wants the precise type of a method that only its descriptor knows; both kinds fit at run time.
function implementation(desc: DescMethod, method: PipelineMethod): never {
  const answered = async (request: Message, context: HandlerContext): Promise<Message> => {
    const response = await method.unary(() => request, incomingCall(context));
    return isBinary(context) ? encodeInTurns(desc.output, response) : response;
  };
  const unary = (request: Message, context: HandlerContext): Promise<Message> => shown(answered(request, context));
  const stream = (request: Message, context: HandlerContext): AsyncGenerator<Message> =>
    shownParts(method.stream(() => request, incomingCall(context)));
  const bidi = (requests: AsyncIterable<Message>, context: HandlerContext): AsyncGenerator<Message> =>
    shownParts(method.bidi(readable(requests), incomingCall(context)));
  const kinds = { unary, server_streaming: stream, bidi_streaming: bidi, client_streaming: unary };
  // oxlint-disable-next-line no-unsafe-type-assertion -- the one cast of this adapter
  return kinds[desc.methodKind] as never;
}

/** What connect-node finds wrong with a request of a stream, as an error of ours. */
async function* readable(requests: AsyncIterable<Message>): AsyncGenerator<Message> {
  try {
    yield* requests;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    // It calls bytes that are no message an internal error, but they are the client's.
    const code = error.code === ConnectCode.Internal ? Code.InvalidArgument : codeFromNumber(error.code);
    throw new ApiError(code, error.rawMessage, { cause: error });
  }
}

function incomingCall(context: HandlerContext): IncomingCall {
  return {
    authorization: context.requestHeader.get('authorization') ?? undefined,
    idempotencyKey: context.requestHeader.get('idempotency-key') ?? undefined,
    peer: context.values.get(peerKey),
    signal: context.signal,
    admission: context.values.get(admissionKey),
  };
}

/** Whether the answer is binary, too: it is what the request is. */
function isBinary({ requestHeader }: HandlerContext): boolean {
  return /^application\/(?:proto|grpc-web(?:\+proto)?)(?:;|$)/.test(requestHeader.get('content-type') ?? '');
}

async function shown<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw connectError(error);
  }
}

async function* shownParts<T>(
  parts: AsyncGenerator<T>,
  onError: (error: ApiError) => void = () => undefined,
): AsyncGenerator<T> {
  try {
    yield* parts;
  } catch (error) {
    if (error instanceof ApiError) onError(error);
    throw connectError(error);
  }
}

// Connect's codes have gRPC's names.
function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof ApiError) {
    const { retryAfterMs } = error;
    const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
    return new ConnectError(error.message, ConnectCode[error.codeName], headers);
  }
  return new ConnectError('internal error', ConnectCode.Internal);
}
