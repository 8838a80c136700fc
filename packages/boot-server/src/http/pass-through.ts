import type { ServerResponse } from 'node:http';
import { fetchFailure } from '../error-words.ts';
import { CACHE_ONLY_HEADER } from '../image-cache/download.ts';
import type { DeliverComponents } from './deliver.ts';
import { sendError } from './reply.ts';
import type { Request } from './request.ts';

/** What of a question the store needs, and what of its answer the client does. */
const ASKED = ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since'] as const;
const ANSWERED = ['content-type', 'content-range', 'accept-ranges', 'etag', 'last-modified'] as const;

/** Without a byte from the store. */
const SILENCE_MS = 30_000;

/**
 * Fetches `url` for a client that cannot: for it, the store's name is that of this server, and to be led to the store
 * would be to come here again.
 */
export async function passThrough(request: Request, url: string, components: DeliverComponents): Promise<void> {
  const { clock, log, metrics } = components;
  const { incoming, response, method } = request;
  const stop = new AbortController();
  response.once('close', () => stop.abort(new Error('the client has left')));
  const watch = (): { cancel(): void } =>
    clock.setTimeout(() => stop.abort(new Error(`no byte for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  let timer = watch();
  try {
    const asked = ASKED.flatMap((name): [string, string][] => {
      const value = incoming.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    const answer = await fetch(url, {
      method,
      signal: stop.signal,
      // Where this server, too, is led to itself, that is the end of it.
      headers: { ...Object.fromEntries(asked), 'accept-encoding': 'identity', [CACHE_ONLY_HEADER]: '1' },
    });
    const headers = ANSWERED.flatMap((name): [string, string][] => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    const length = answer.headers.get('content-encoding') === null ? answer.headers.get('content-length') : null;
    if (length !== null) headers.push(['Content-Length', length]);
    response.writeHead(answer.status, Object.fromEntries(headers));
    for await (const part of answer.body ?? []) {
      timer.cancel();
      // A client that takes nothing is the server's idle timer's.
      if (!response.write(part)) await drainOf(response);
      timer = watch();
    }
    response.end();
  } catch (error) {
    if (response.destroyed) {
      metrics.drop('http', 'aborted');
      return;
    }
    const words = fetchFailure(stop.signal.aborted ? stop.signal.reason : error);
    metrics.drop('http', 'store-away');
    log.warn({ event: 'image-cache.store-away', url, err: error }, `cannot fetch ${url} for a client: ${words}`);
    if (response.headersSent) response.destroy();
    else sendError(request, 502, 'store_away', `${url} is not cached here, and its store is away: ${words}`);
  } finally {
    timer.cancel();
  }
}

function drainOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}
