import type { Logger } from '@ingot/daemon';
import { fetchFailure } from '../error-words.ts';
import type { ImageCacheConfig } from '../config/image-cache.ts';
import type { CachedImage } from './cache-directory.ts';
import { parseImageId, type CatalogueImage } from './catalogue.ts';
import type { Digest } from './digest.ts';
import type { ImageLists, ListedImage } from './lists.ts';
import type { StoreClient, StoreFile } from './store-client.ts';

/** An image that should be at hand. */
export interface WantedImage extends CatalogueImage {
  /** False: there is no copy, or the store has another version by now. */
  readonly isCurrent: boolean;
  /** Of the store's version; undefined for a current copy, and where the store has none. */
  readonly digest: Digest | undefined;
  /** What the store says of its version; undefined for a current copy, and while the store is away. */
  readonly store: StoreFile | undefined;
}

export interface WantedImagesComponents {
  readonly config: ImageCacheConfig;
  readonly covers: (url: string) => boolean;
  readonly find: (url: string) => CachedImage | undefined;
  readonly store: StoreClient;
  readonly lists: ImageLists | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Entries of the API's list that are looked at: a list without end must not fill the memory. */
const MAX_LISTED = 10_000;

interface Entry extends ListedImage {
  readonly pinned: boolean;
  readonly digest: Digest | undefined;
}

/**
 * Everything that the configuration and the API want, as far as a store has it; `unknown` are the URLs of what it does not
 * have, or cannot be asked for. `isComplete` is false when a list could not be read: then nothing may be dropped for not
 * being in it.
 */
export async function findWantedImages(components: WantedImagesComponents): Promise<{
  readonly images: readonly WantedImage[];
  readonly unknown: readonly string[];
  readonly isComplete: boolean;
}> {
  const { config, covers, log, signal } = components;
  const { entries, isComplete } = await readLists(components);
  const images = new Map<string, WantedImage>();
  const unknown: string[] = [];
  for (const entry of entries) {
    if (signal.aborted) break;
    if (images.has(entry.url)) continue;
    if (!covers(entry.url)) {
      log.debug({ event: 'image-cache.foreign', url: entry.url }, `${entry.url} is in none of imageCache.stores`);
      continue;
    }
    if (!entry.pinned && config.excludePaths.some((part) => new URL(entry.url).pathname.includes(part))) continue;
    const found = await askStore(components, entry);
    if (found === undefined) unknown.push(entry.url);
    else images.set(entry.url, found);
  }
  return { images: [...images.values()], unknown, isComplete };
}

async function readLists({
  config,
  lists,
  log,
}: WantedImagesComponents): Promise<{ entries: readonly Entry[]; isComplete: boolean }> {
  const entries = config.images.map(({ url, sha256 }) =>
    pinned(url, sha256 === undefined ? undefined : { algorithm: 'sha256', hex: sha256 }),
  );
  if (lists === undefined || !config.fromApi) return { entries, isComplete: true };
  try {
    const boot = (await lists.bootFiles()).map((url) => pinned(url, undefined));
    const listed = await lists.images();
    const images = listed.slice(0, MAX_LISTED).map((image) => ({ ...image, pinned: false, digest: undefined }));
    return { entries: [...entries, ...boot, ...images], isComplete: listed.length <= MAX_LISTED };
  } catch (error) {
    log.warn(
      { event: 'image-cache.list-failed', err: error },
      `the image cache cannot read the lists of the API, and keeps what it has: ${fetchFailure(error)}`,
    );
    return { entries, isComplete: false };
  }
}

function pinned(url: string, digest: Digest | undefined): Entry {
  return { id: url, url, expiresAt: undefined, pinned: true, digest };
}

/** Undefined when there is no copy, and the store has none either or cannot be asked. */
async function askStore(
  { config, find, store, log, signal }: WantedImagesComponents,
  entry: Entry,
): Promise<WantedImage | undefined> {
  const { id, url, expiresAt } = entry;
  const held = find(url);
  const image = { url, ...parseImageId(id), expiresAt, pinned: entry.pinned };
  const asHeld = (copy: CachedImage): WantedImage => ({
    ...image,
    sizeBytes: copy.sizeBytes,
    isCurrent: true,
    digest: undefined,
    store: undefined,
  });
  let file: StoreFile | undefined;
  let digest: Digest | undefined;
  try {
    file = await store.head(url, signal);
    if (file === undefined) {
      log.warn({ event: 'image-cache.missing', url }, `${url} is wanted, and not in its store`);
      return held === undefined ? undefined : asHeld(held);
    }
    const isAsked = entry.digest === undefined || held?.digests[entry.digest.algorithm] === entry.digest.hex;
    if (held !== undefined && isAsked && isSame(held, file)) return asHeld(held);
    digest = entry.digest ?? (await store.digest(url, signal));
  } catch (error) {
    log.warn(
      { event: 'image-cache.store-away', url, err: error },
      `cannot ask the store for ${url}: ${fetchFailure(error)}`,
    );
    if (held !== undefined) return asHeld(held);
    // What the configuration vouches for may come from a peer.
    if (entry.digest === undefined || config.peers.length === 0) return undefined;
    return { ...image, sizeBytes: 0, isCurrent: false, digest: entry.digest, store: undefined };
  }
  if (held !== undefined && digest !== undefined && held.digests[digest.algorithm] === digest.hex) return asHeld(held);
  return { ...image, sizeBytes: file.sizeBytes ?? 0, isCurrent: false, digest, store: file };
}

function isSame(held: CachedImage, file: StoreFile): boolean {
  if (file.sizeBytes !== undefined && file.sizeBytes !== held.sizeBytes) return false;
  if (held.etag !== undefined && file.etag !== undefined) return held.etag === file.etag;
  return held.lastModified === undefined || file.lastModified === undefined || held.lastModified === file.lastModified;
}
