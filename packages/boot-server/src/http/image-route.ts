import type { Logger } from '@ingot/daemon';
import { CACHE_ONLY_HEADER } from '../image-cache/download.ts';
import { imageUrl, type ImageCache } from '../image-cache/image-cache.ts';
import type { BootMetrics } from '../metrics.ts';
import { sendArtifact, sendError, sendText, type Request } from './reply.ts';

export interface ImageRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly cache: ImageCache;
}

/**
 * The URL of a store that a request means: `/images/<scheme>/<host>/<path>`, or any path with the store's own name in
 * Host, for racks whose name server leads that name here. Undefined when it is neither.
 */
export function askedImage(request: Request, cache: Pick<ImageCache, 'covers'>): string | undefined {
  const { incoming, query } = request;
  const search = query.size === 0 ? '' : `?${query.toString()}`;
  // As it was sent: an escaped slash is not a slash.
  const path = (incoming.url ?? '').split('?', 1)[0] ?? '';
  if (path.startsWith('/images/')) return imageUrl(path, search);
  const host = incoming.headers.host;
  if (host === undefined) return undefined;
  return [`https://${host}${path}${search}`, `http://${host}${path}${search}`].find((url) => cache.covers(url));
}

/** Sends the copy; without one leads the client to the store itself. Peers are told that there is none. */
export async function serveImage(
  request: Request,
  url: string,
  { log, metrics, cache }: ImageRouteComponents,
): Promise<void> {
  if (!cache.covers(url)) {
    metrics.drop('http', 'unknown-image');
    return sendError(request, 404, 'unknown_image', `${url} is in none of imageCache.stores`);
  }
  const checksum = cache.checksumFile(url);
  if (checksum !== undefined) return sendText(request, 200, checksum);
  using image = await cache.get(url);
  if (image !== undefined) {
    sendArtifact(request, image, 'application/octet-stream');
    return;
  }
  if (request.incoming.headers[CACHE_ONLY_HEADER] !== undefined)
    return sendError(request, 404, 'not_cached', `there is no copy of ${url} here`);
  log.info({ event: 'image-cache.miss', url }, `no copy of ${url}: the client is sent to the store`);
  request.response.writeHead(307, { location: url, 'content-length': 0, 'cache-control': 'no-store' }).end();
}
