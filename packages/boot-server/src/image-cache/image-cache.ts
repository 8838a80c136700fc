import { posix } from 'node:path';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { fetchFailure } from '../error-words.ts';
import type { ImageCacheConfig } from '../config/image-cache.ts';
import type { Artifact } from '../artifacts/artifact.ts';
import type { BootMetrics } from '../metrics.ts';
import type { CacheDirectory } from './cache-directory.ts';
import { imageArtifact } from './image-artifact.ts';
import { selectImages } from './catalogue.ts';
import { digestFileOf } from './digest.ts';
import { downloadImage } from './download.ts';
import type { ImageLists } from './lists.ts';
import type { StoreClient } from './store-client.ts';
import { findWantedImages, type WantedImage } from './wanted-images.ts';

export interface ImageCacheComponents {
  /** May be a getter: it is read at each use, so that a reload may change it. */
  readonly config: ImageCacheConfig;
  readonly directory: CacheDirectory;
  readonly store: StoreClient;
  /** Undefined: the images of the configuration only. */
  readonly lists: ImageLists | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<BootMetrics, 'imageCache'>;
  readonly signal: AbortSignal;
}

export interface ImageCache {
  /** Whether this URL is in one of the stores; all others are none of the cache's business. */
  covers(url: string): boolean;
  /** The copy of `url`, to be released by the caller; undefined when there is none. */
  get(url: string): Promise<Artifact | undefined>;
  /** The checksum file that lies beside an image in its store, of the copy; undefined for all other URLs. */
  checksumFile(url: string): string | undefined;
  /** Reads the lists, drops what is not wanted, fetches what is missing. Never rejects: what fails is logged. */
  sync(): Promise<void>;
  /** `sync` now and every `syncMinutes`. */
  start(): void;
  /** The configuration is another one: the next `sync` is due as soon as the running one has ended. */
  refresh(): void;
  stop(): Promise<void>;
  readonly bytes: number;
  readonly images: number;
}

/** Two at once fill a line; more would only make all of them late. */
const DOWNLOADS_AT_ONCE = 2;

/**
 * The partition's copy of its store: every image once over the thin line, then many times within the rack. What cannot
 * be asked for changes nothing: with the API or the store away, all that is there stays and is served.
 */
export function createImageCache(components: ImageCacheComponents): ImageCache {
  const { directory, clock, log, metrics } = components;
  let stores: { readonly of: readonly string[]; readonly urls: readonly URL[] } = { of: [], urls: [] };
  const stopping = new AbortController();
  const signal = AbortSignal.any([components.signal, stopping.signal]);
  let running: Promise<void> = Promise.resolve();
  let pause = new AbortController();

  const covers = (text: string): boolean => {
    const url = URL.parse(text);
    const { stores: wanted } = components.config;
    if (stores.of !== wanted) stores = { of: wanted, urls: wanted.map((each) => new URL(each)) };
    return (
      url !== null &&
      stores.urls.some(
        (store) => url.origin === store.origin && url.pathname.startsWith(store.pathname.replace(/\/?$/, '/')),
      )
    );
  };

  const fetchOne = async ({ url, digest, store }: WantedImage): Promise<void> => {
    const { config } = components;
    // Without a checksum nothing tells a peer's copy of today's version from one of yesterday's.
    const peers = digest === undefined ? [] : config.peers;
    const sources = [...peers.map((peer) => `${peer.replace(/\/+$/, '')}${imagePath(url)}`), url];
    try {
      const order = { url, sources, digest, store, maxBytes: config.maxDiskBytes };
      const { sizeBytes, digests } = await downloadImage({ directory, clock, signal }, order);
      metrics.imageCache('fetched');
      log.info(
        { event: 'image-cache.fetched', url, bytes: sizeBytes, sha256: digests.sha256, checked: digest?.algorithm },
        `the image cache has ${url}`,
      );
    } catch (error) {
      if (signal.aborted) return;
      metrics.imageCache('failed');
      log.error(
        { event: 'image-cache.failed', url, err: error },
        `the image cache cannot fetch ${url}: ${fetchFailure(error)}`,
      );
    }
  };

  const tidy = async (
    kept: ReadonlySet<string>,
    reasons: ReadonlyMap<string, string>,
    isComplete: boolean,
  ): Promise<void> => {
    // What has begun of an image goes with it.
    for (const url of new Set([...directory.list().map((image) => image.url), ...directory.parts()])) {
      const reason = reasons.get(url) ?? (isComplete ? 'not-listed' : undefined);
      if (kept.has(url) || reason === undefined) continue;
      await directory.remove(url);
      log.info({ event: 'image-cache.dropped', url, reason }, `the image cache drops ${url}: ${reason}`);
    }
  };

  const round = async (): Promise<void> => {
    const { config } = components;
    const { images, unknown, isComplete } = await findWantedImages({
      ...components,
      config,
      signal,
      covers,
      find: (url) => directory.find(url),
    });
    if (signal.aborted) return;
    const retention = selectImages(
      images,
      {
        maxBytes: config.maxDiskBytes,
        minImagesPerName: config.minImagesPerName,
        maxImagesPerName: config.maxImagesPerName,
        expirationGraceMs: config.expirationGraceDays * 24 * 60 * 60 * 1000,
      },
      clock.now(),
    );
    if (retention.excessBytes > 0)
      log.warn(
        { event: 'image-cache.over-limit', keptBytes: retention.keptBytes, maxBytes: config.maxDiskBytes },
        'the images that must stay need more than imageCache.maxDiskBytes: raise it, or lower minImagesPerName',
      );
    const kept = new Set([...retention.keep.map(({ url }) => url), ...unknown]);
    // Room first, then more: the disk may hold one set only.
    await tidy(kept, new Map(retention.drop.map(({ image, reason }) => [image.url, reason])), isComplete);
    // The small ones are soon there: kernels before operating systems.
    const missing = images
      .filter((image) => kept.has(image.url) && !image.isCurrent)
      .toSorted((a, b) => a.sizeBytes - b.sizeBytes);
    const fetchRest = async (): Promise<void> => {
      for (let next = missing.shift(); next !== undefined && !signal.aborted; next = missing.shift())
        await fetchOne(next);
    };
    await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, fetchRest));
  };
  const sync = async (): Promise<void> => {
    try {
      await round();
    } catch (error) {
      if (signal.aborted) return;
      metrics.imageCache('failed');
      log.error(
        { event: 'image-cache.failed', err: error },
        `a round of the image cache failed, and the next one may not: ${fetchFailure(error)}`,
      );
    }
  };
  const runForEver = async (): Promise<void> => {
    while (!signal.aborted) {
      // A configuration that comes while this one is followed is followed right after it.
      pause = new AbortController();
      await sync();
      const pauseMs = components.config.syncMinutes * 60_000;
      await clock.sleep(pauseMs, AbortSignal.any([signal, pause.signal])).catch(() => undefined);
    }
  };
  return {
    covers,
    get: async (url) => {
      const opened = await directory.open(url);
      metrics.imageCache(opened === undefined ? 'miss' : 'hit');
      return opened === undefined ? undefined : imageArtifact(opened);
    },
    checksumFile: (url) => {
      const asked = digestFileOf(url);
      const image = asked === undefined ? undefined : directory.find(asked.url);
      if (asked === undefined || image === undefined) return undefined;
      return `${image.digests[asked.algorithm]}  ${posix.basename(new URL(asked.url).pathname)}\n`;
    },
    sync,
    start: () => {
      running = runForEver();
    },
    refresh: () => pause.abort(),
    stop: async () => {
      stopping.abort();
      await running;
    },
    get bytes() {
      return directory.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    },
    get images() {
      return directory.list().length;
    },
  };
}

/** The path under which a boot server serves its copy of `url`: `/images/<scheme>/<host>/<path>`. */
export function imagePath(url: string): string {
  const { protocol, host, pathname, search } = new URL(url);
  return `/images/${protocol.slice(0, -1)}/${host}${pathname}${search}`;
}

/** The URL that such a path stands for; undefined when it is none. */
export function imageUrl(path: string, search: string): string | undefined {
  const match = /^\/images\/(?<scheme>https?)\/(?<rest>[^/]+\/.*)$/.exec(path);
  const { scheme, rest } = match?.groups ?? {};
  if (scheme === undefined || rest === undefined) return undefined;
  return URL.parse(`${scheme}://${rest}${search}`)?.href;
}
