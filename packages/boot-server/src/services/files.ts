import { join } from 'node:path';
import type { Clock, Libc } from '@ingot/net';
import type { Logger, Metrics } from '@ingot/daemon';
import { contentMemory } from '../artifacts/content.ts';
import { localFiles } from '../artifacts/local-file.ts';
import { fetchRemoteFile } from '../artifacts/remote-file.ts';
import { createArtifactStore, type ArtifactStore } from '../artifacts/store.ts';
import { openCacheDirectory } from '../image-cache/cache-directory.ts';
import { cachedFetch } from '../image-cache/cached-fetch.ts';
import { createImageCache, type ImageCache } from '../image-cache/image-cache.ts';
import type { ImageLists } from '../image-cache/lists.ts';
import { httpStoreClient } from '../image-cache/store-client.ts';
import { registerImageGauges, type BootMetrics } from '../metrics.ts';
import type { CurrentPolicy } from '../reload/current-policy.ts';

export interface FileServiceComponents {
  readonly policy: CurrentPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly registry: Metrics;
  readonly libc: Libc | undefined;
  readonly imageLists: ImageLists | undefined;
  readonly signal: AbortSignal;
  /** What ends with the server, the last first. */
  readonly onStop: (stop: () => Promise<void>) => void;
}

/** Where the bytes come from: the artifacts in memory, and behind them the partition's copy of its image store. */
export async function startFileService(
  components: FileServiceComponents,
): Promise<{ readonly artifacts: ArtifactStore; readonly imageCache: ImageCache | undefined }> {
  const { policy, clock, log, libc, signal, onStop } = components;
  const imageCache = await startImageCache(components);
  const artifacts = createArtifactStore({
    clock,
    log,
    files: localFiles(() => policy.now.roots),
    fetchRemote: imageCache === undefined ? fetchRemoteFile : cachedFetch(imageCache, fetchRemoteFile),
    memory: contentMemory(libc),
    maxBytes: policy.now.config.artifacts.maxBytes,
    signal,
  });
  onStop(() => Promise.resolve(artifacts.close()));
  return { artifacts, imageCache };
}

async function startImageCache(components: FileServiceComponents): Promise<ImageCache | undefined> {
  const { policy, clock, log, metrics, signal } = components;
  const { imageCache: config, dataDir } = policy.now.config;
  if (config === undefined) return undefined;
  const imageCache = createImageCache({
    // Neither added nor taken away by a reload.
    get config() {
      return policy.now.config.imageCache ?? config;
    },
    directory: await openCacheDirectory(config.directory ?? join(dataDir, 'images')),
    store: httpStoreClient(),
    lists: components.imageLists,
    clock,
    log,
    metrics,
    signal,
  });
  imageCache.start();
  components.onStop(() => imageCache.stop());
  registerImageGauges(components.registry, imageCache);
  return imageCache;
}
