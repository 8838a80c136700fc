import type { Message } from '@bufbuild/protobuf';
import type { Clock } from '@ingot/net';
import { ApiError, Code } from '../errors.ts';

/** What one bidirectional stream may cost. */
export interface RequestBounds {
  readonly maxStreamRequests: number;
  /** Milliseconds. */
  readonly streamIdleMs: number;
}

export interface BoundedRequestsOptions {
  readonly bounds: RequestBounds;
  readonly clock: Clock;
  /** Of the call. */
  readonly signal: AbortSignal;
  /** Throws for a request that the contract's field rules do not allow. */
  readonly check: (request: Message) => void;
}

/**
 * The requests of a stream, as long as they come in time and are not too many. Throws `DeadlineExceeded`,
 * `ResourceExhausted`, what `check` throws, and the signal's reason: a client that says nothing keeps nothing.
 */
export async function* boundedRequests(
  requests: AsyncIterable<Message>,
  { bounds, clock, signal, check }: BoundedRequestsOptions,
): AsyncGenerator<Message> {
  const iterator = requests[Symbol.asyncIterator]();
  for (let count = 0; ; count += 1) {
    const next = await inTime(iterator.next(), bounds.streamIdleMs, clock, signal);
    if (next.done === true) return;
    if (count === bounds.maxStreamRequests) {
      throw new ApiError(
        Code.ResourceExhausted,
        `a stream takes ${bounds.maxStreamRequests} requests: go on in another one`,
      );
    }
    check(next.value);
    yield next.value;
  }
}

async function inTime<T>(promise: Promise<T>, ms: number, clock: Clock, signal: AbortSignal): Promise<T> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const fail = (): void => reject(signal.reason);
  const timer = clock.setTimeout(
    () => reject(new ApiError(Code.DeadlineExceeded, `no request for ${ms / 1000} s: open another stream`)),
    ms,
  );
  signal.addEventListener('abort', fail, { once: true });
  if (signal.aborted) fail();
  try {
    return await Promise.race([promise, ended]);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', fail);
  }
}
