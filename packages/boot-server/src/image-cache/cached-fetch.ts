import { setImmediate as nextTurn } from 'node:timers/promises';
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
      for (let position = 0; position < image.sizeBytes; position += CHUNK_BYTES) {
        const chunk = image.read(position, CHUNK_BYTES);
        // Something took a piece of the file away: it is no image any more.
        if (chunk.byteLength === 0) throw new Error(`${uri} is shorter than it was`);
        writer.write(chunk);
        // Others are to be answered in between: an initrd of some hundred megabytes takes a second.
        await nextTurn();
      }
      return { kind: 'body', content: writer.finish(), etag };
    } catch (error) {
      writer.discard();
      throw error;
    }
  };
}
