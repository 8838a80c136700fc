import * as http from 'node:http';
import * as https from 'node:https';
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
  const settings = { keepAlive: true, maxSockets: concurrency, maxTotalSockets: concurrency };
  const agents = { 'http:': new http.Agent(settings), 'https:': new https.Agent(settings) };

  const ask = (url: URL, signal: AbortSignal, isRetry: boolean): Promise<HttpAnswer & { location?: string }> =>
    new Promise((resolve, reject) => {
      const { request } = url.protocol === 'https:' ? https : http;
      const agent = agents[url.protocol === 'https:' ? 'https:' : 'http:'];
      const outgoing = request(url, { agent, signal, headers: { accept: 'application/json' } });
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = [];
        let size = 0;
        incoming.on('data', (part: Buffer) => {
          size += part.byteLength;
          if (size > maxBytes) incoming.destroy(new Error(`the answer has more than ${maxBytes} bytes`));
          else parts.push(part);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { location } = incoming.headers;
          resolve({
            status: incoming.statusCode ?? 0,
            text: Buffer.concat(parts).toString('utf8'),
            ...(location === undefined ? {} : { location }),
          });
        });
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection as the question left: it never saw it.
        if (outgoing.reusedSocket && !isRetry && error.code === 'ECONNRESET') resolve(ask(url, signal, true));
        else reject(error);
      });
      outgoing.end();
    });
  return {
    get: async (url) => {
      const late = new AbortController();
      const timer = clock.setTimeout(() => late.abort(), timeoutMs);
      try {
        let at = new URL(url);
        for (let hops = 0; ; hops += 1) {
          const { status, text, location } = await ask(at, late.signal, false);
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
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}
