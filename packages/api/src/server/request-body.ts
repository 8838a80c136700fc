import { ApiError, Code } from '../errors.ts';
import type { UnfinishedRequests } from './unfinished-requests.ts';

export interface RequestBodyOptions {
  readonly unfinished: UnfinishedRequests;
  /** Longest body that is read. */
  readonly maxBytes: number;
  /** Looks at all of it before anybody unpacks it; throws an `ApiError`. */
  readonly check: (body: Uint8Array) => void;
}

/** A body as one piece, once all of it is there. Throws an `ApiError` as soon as it is too long, too late or in the way. */
export async function* wholeBody(
  parts: AsyncIterable<Uint8Array>,
  { unfinished, maxBytes, check }: RequestBodyOptions,
): AsyncGenerator<Uint8Array> {
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const iterator = parts[Symbol.asyncIterator]();
  const request = unfinished.begin(ended.reject);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), ended.promise]);
      if (next.done === true) break;
      chunks.push(next.value);
      length += next.value.length;
      if (length > maxBytes) throw new ApiError(Code.ResourceExhausted, `the request has ${maxBytes} bytes at most`);
      request.take(next.value.length);
    }
  } catch (error) {
    // Not awaited: it would wait for the part that does not come.
    iterator.return?.().catch(() => undefined);
    throw error;
  } finally {
    request.end();
  }
  const body = Buffer.concat(chunks);
  check(body);
  yield body;
}
