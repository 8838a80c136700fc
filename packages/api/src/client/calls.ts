import { create, fromBinary, toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { ApiError, Code, codeFromNumber, type CodeName } from '../errors.ts';
import { methodPath } from '../method-access.ts';
import type { Channel } from './channel.ts';

/** How long a call may take, and who may end it. */
export interface CallOptions {
  /**
   * Deadline, milliseconds from now. Unary calls: the channel's default. Streams: none by default, and a deadline is for
   * the whole stream.
   */
  readonly timeoutMs?: number;
  /** Aborting cancels the call, on the server, too; it rejects with `Canceled`, the signal's reason as cause. */
  readonly signal?: AbortSignal;
  /**
   * Of a call that makes something: whoever gets no answer asks again with the same key, and nothing is made twice. 1 to
   * 128 printable ASCII characters, a new one for each thing.
   */
  readonly idempotencyKey?: string;
}

type Init = Record<string, unknown>;

/** Calls a unary method. Rejects with an `ApiError`. */
export async function callUnary(
  channel: Channel,
  method: DescMethod,
  init: Init,
  options: CallOptions,
): Promise<Message> {
  const { signal } = options;
  throwIfAborted(method, signal);
  const request = create(method.input, init);
  const metadata = await metadataOf(channel, options);
  throwIfAborted(method, signal);
  const beganMs = performance.now();
  const isOver = (code: CodeName | undefined): void =>
    channel.onCall?.({ path: methodPath(method), durationMs: performance.now() - beganMs, code });
  return new Promise((resolve, reject) => {
    const cancel = (): void => call.cancel();
    const call = channel.grpc.makeUnaryRequest(
      methodPath(method),
      (message: Message) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      request,
      metadata,
      { deadline: Date.now() + (options.timeoutMs ?? channel.defaultTimeoutMs) },
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        const failure = error === null ? undefined : toApiError(error, method, signal);
        isOver(failure?.codeName);
        if (failure !== undefined) reject(failure);
        else if (response === undefined) reject(new ApiError(Code.Internal, `${methodPath(method)} gave no message`));
        else resolve(response);
      },
    );
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * Calls a server-streaming method. The call starts with the first `next`; messages are taken from the connection as they
 * are asked for, and leaving the loop cancels the call. Throws `ApiError`s.
 */
export async function* callStream(
  channel: Channel,
  method: DescMethod,
  init: Init,
  options: CallOptions,
): AsyncGenerator<Message, void, void> {
  const { signal } = options;
  throwIfAborted(method, signal);
  const request = create(method.input, init);
  const metadata = await metadataOf(channel, options);
  throwIfAborted(method, signal);
  const call = channel.grpc.makeServerStreamRequest(
    methodPath(method),
    (message: Message) => Buffer.from(toBinary(method.input, message)),
    (bytes: Buffer) => fromBinary(method.output, bytes),
    request,
    metadata,
    options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs },
  );
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    yield* call;
  } catch (error) {
    throw toApiError(error, method, signal);
  } finally {
    signal?.removeEventListener('abort', cancel);
    // The cancellation comes back as an error event, after the iterator has stopped listening.
    call.on('error', () => undefined);
    call.cancel();
  }
}

async function metadataOf(channel: Channel, { idempotencyKey }: CallOptions): Promise<Metadata> {
  const metadata = new Metadata();
  const token = await channel.token();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  if (idempotencyKey !== undefined) metadata.set('idempotency-key', idempotencyKey);
  return metadata;
}

function throwIfAborted(method: DescMethod, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(method, signal);
}

function cancelled(method: DescMethod, signal: AbortSignal): ApiError {
  return new ApiError(Code.Canceled, `${methodPath(method)} was cancelled`, { cause: signal.reason });
}

function toApiError(error: unknown, method: DescMethod, signal: AbortSignal | undefined): ApiError {
  if (error instanceof ApiError) return error;
  if (signal?.aborted === true) return cancelled(method, signal);
  if (isServiceError(error)) {
    const pushback = Number(error.metadata?.get('grpc-retry-pushback-ms')[0] ?? Number.NaN);
    const retryAfterMs = pushback >= 0 ? pushback : undefined;
    return new ApiError(codeFromNumber(error.code), plainly(error.details), { cause: error, retryAfterMs });
  }
  return new ApiError(Code.Unknown, error instanceof Error ? error.message : String(error), { cause: error });
}

/** What is of use of grpc-js's words about a connection that failed. */
function plainly(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note:\s*$/, '')
    .replace(/; if the root CA is installed locally.*$/, '')
    .trim();
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
