import type { RemoteFetch } from '../artifacts/remote-file.ts';
import type { ImageCache } from './image-cache.ts';

const CHUNK_BYTES = 1_048_576;

/** Kernels and initrds come out of the image cache when it has them, so that a boot needs no store. */
export function cachedFetch(cache: Pick<ImageCache, 'covers' | 'get'>, fetchRemote: RemoteFetch): RemoteFetch {
  return async (uri, options) => {
    if (!cache.covers(uri)) return await fetchRemote(uri, options);
    using image = await cache.get(uri);
    if (image === undefined) return await fetchRemote(uri, options);
    const etag = `"${image.sha256}"`;
    if (options.etag === etag) return { kind: 'unchanged' };
    const writer = options.openWriter(image.sizeBytes);
    try {
      for (let position = 0; position < image.sizeBytes; position += CHUNK_BYTES)
        writer.write(image.read(position, CHUNK_BYTES));
      return { kind: 'body', content: writer.finish(), etag };
    } catch (error) {
      writer.discard();
      throw error;
    }
  };
}
