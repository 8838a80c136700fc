import { CACHE_ONLY_HEADER } from '../image-cache/download.ts';
import { imageUrl, type ImageCache } from '../image-cache/image-cache.ts';
import { deliver, type DeliverComponents } from './deliver.ts';
import { passThrough } from './pass-through.ts';
import { sendError, sendText } from './reply.ts';
import type { Request } from './request.ts';

export interface ImageRouteComponents extends DeliverComponents {
  readonly cache: ImageCache;
  /** Who leased this address here, and the machine that this NIC said to belong to: for the log. */
  readonly macOf: (address: string) => string | undefined;
  readonly uuidOf: (mac: string) => string | undefined;
}

/**
 * The URL of a store that a request means: `/images/<scheme>/<host>/<path>`, or any path with the store's own name in
 * Host, for racks whose name server leads that name here. Undefined when it is neither.
 */
export function askedImage(request: Request, cache: Pick<ImageCache, 'covers'>): string | undefined {
  const { rawPath: path, query, host } = request;
  const search = query.size === 0 ? '' : `?${query.toString()}`;
  if (path.startsWith('/images/')) return imageUrl(path, search);
  if (host === undefined) return undefined;
  return [`https://${host}${path}${search}`, `http://${host}${path}${search}`].find((url) => cache.covers(url));
}

/**
 * Sends the copy; without one leads the client to the store itself, or fetches for it what it can only ask for here. Peers
 * are told that there is none.
 */
export async function serveImage(request: Request, url: string, components: ImageRouteComponents): Promise<void> {
  const { log, metrics, cache } = components;
  if (!cache.covers(url)) {
    metrics.drop('http', 'unknown-image');
    return sendError(request, 404, 'unknown_image', `${url} is in none of imageCache.stores`);
  }
  const checksum = cache.checksumFile(url);
  if (checksum !== undefined) return sendText(request, 200, checksum);
  using image = await cache.get(url);
  if (image !== undefined) {
    const mac = request.source === undefined ? undefined : components.macOf(request.source);
    const uuid = mac === undefined ? undefined : components.uuidOf(mac);
    return await deliver(request, image, 'application/octet-stream', components, {
      uri: url,
      kind: 'image',
      mac,
      uuid,
    });
  }
  if (request.incoming.headers[CACHE_ONLY_HEADER] !== undefined)
    return sendError(request, 404, 'not_cached', `there is no copy of ${url} here`);
  if (!request.rawPath.startsWith('/images/')) {
    log.info({ event: 'image-cache.miss', url }, `no copy of ${url}: it is fetched for the client`);
    return await passThrough(request, url, components);
  }
  log.info({ event: 'image-cache.miss', url }, `no copy of ${url}: the client is sent to the store`);
  request.response.writeHead(307, { location: url, 'content-length': 0, 'cache-control': 'no-store' }).end();
}
