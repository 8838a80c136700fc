import { Agent, request } from 'undici';
import type { Clock } from '@ingot/net';

export interface HttpGetOptions {
  readonly clock: Clock;
  /** From the question to the last byte of the answer, waiting for a free connection included. */
  readonly timeoutMs: number;
  /** Connections at once; they are kept open between questions. */
  readonly concurrency: number;
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HttpGet {
  /** Rejects with what went wrong, in words. */
  get(url: string): Promise<HttpAnswer>;
  close(): void;
}

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;

/** Small GETs of one server, many at once. */
export function httpGet(options: HttpGetOptions): HttpGet {
  const { clock, timeoutMs, concurrency, maxBytes } = options;
  // The deadline is the clock's: undici's own would count the parts of an answer one by one.
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

  const ask = async (
    url: URL,
    signal: AbortSignal,
  ): Promise<HttpAnswer & { readonly location: string | undefined }> => {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      signal,
      headers: { accept: 'application/json' },
    });
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.byteLength;
      // Leaving the loop closes the connection.
      if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
      parts.push(part);
    }
    const { location } = headers;
    return {
      status: statusCode,
      text: Buffer.concat(parts).toString('utf8'),
      location: typeof location === 'string' ? location : undefined,
    };
  };
  /** A question that left as the server closed its idle connection was never seen: it is asked once more. */
  const askTwice = async (url: URL, signal: AbortSignal): ReturnType<typeof ask> => {
    try {
      return await ask(url, signal);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET') throw error;
      return await ask(url, signal);
    }
  };
  return {
    get: async (url) => {
      const late = new AbortController();
      const timer = clock.setTimeout(() => late.abort(), timeoutMs);
      try {
        let at = new URL(url);
        for (let hops = 0; ; hops += 1) {
          const { status, text, location } = await askTwice(at, late.signal);
          if (status < 300 || status > 399 || location === undefined) return { status, text };
          if (hops >= MAX_REDIRECTS || !URL.canParse(location, at)) throw new Error(`it redirects to ${location}`);
          at = new URL(location, at);
          if (at.protocol !== 'http:' && at.protocol !== 'https:') throw new Error(`it redirects to ${location}`);
        }
      } catch (error) {
        if (late.signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error });
        throw error;
      } finally {
        timer.cancel();
      }
    },
    close: () => {
      dispatcher.destroy().catch(() => undefined);
    },
  };
}
