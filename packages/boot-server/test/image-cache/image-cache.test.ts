import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { systemClock, type Clock } from '@ingot/net';
import { contentMemory } from '../../src/artifacts/content.ts';
import { imageCacheSchema, type ImageCacheConfig } from '../../src/config/image-cache.ts';
import { cachedFetch } from '../../src/image-cache/cached-fetch.ts';
import { openCacheDirectory } from '../../src/image-cache/cache-directory.ts';
import { createImageCache, imagePath, type ImageCache } from '../../src/image-cache/image-cache.ts';
import type { ImageLists, ListedImage } from '../../src/image-cache/lists.ts';
import { httpStoreClient } from '../../src/image-cache/store-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { imageStoreServer, type ImageStoreServer } from './image-store.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (length: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) & 0xff));

interface CacheUnderTest {
  readonly cache: ImageCache;
  readonly log: MemoryLogger;
  readonly counts: Record<string, number>;
  readonly text: (path: string) => Promise<string | undefined>;
}

async function cacheOf(
  store: ImageStoreServer,
  options: {
    directory?: string;
    config?: Partial<ImageCacheConfig>;
    /** In its place, looked at each time. */
    configNow?: () => ImageCacheConfig | undefined;
    lists?: ImageLists;
    clock?: Clock;
  } = {},
): Promise<CacheUnderTest> {
  const config = imageCacheSchema.parse({ stores: [store.url], ...options.config });
  if (config === undefined) throw new Error('no configuration');
  const log = new MemoryLogger();
  const counts: Record<string, number> = {};
  const stopping = new AbortController();
  const cache = createImageCache({
    get config() {
      return options.configNow?.() ?? config;
    },
    directory: await openCacheDirectory(options.directory ?? temporaryFolder()),
    store: httpStoreClient(),
    lists: options.lists,
    clock: options.clock ?? systemClock,
    log,
    metrics: {
      imageCache: (what) => {
        counts[what] = (counts[what] ?? 0) + 1;
      },
    },
    signal: stopping.signal,
  });
  onTestFinished(async () => {
    stopping.abort();
    await cache.stop();
  });
  return {
    cache,
    log,
    counts,
    text: async (path) => {
      using image = await cache.get(`${store.url}${path}`);
      return image === undefined ? undefined : Buffer.from(image.read(0, image.sizeBytes)).toString();
    },
  };
}

function listsOf(store: ImageStoreServer, ids: readonly string[], boot: readonly string[] = []): ImageLists {
  const images = ids.map((id): ListedImage => ({ id, url: `${store.url}/${id}`, expiresAt: undefined }));
  return {
    images: () => Promise.resolve(images),
    bootFiles: () => Promise.resolve(boot.map((path) => `${store.url}${path}`)),
  };
}

const gets = (store: ImageStoreServer, path: string): string[] =>
  store.answers.filter((answer) => answer.startsWith(`GET ${path} `));

describe('the image cache', () => {
  it('fetches what the API lists, and kernel and initrd of the partition, once', async () => {
    const store = await imageStoreServer();
    store.files.set('/debian-12.0.1', Buffer.from('an image'));
    store.files.set('/vmlinuz', Buffer.from('a kernel'));
    const { cache, text, counts } = await cacheOf(store, { lists: listsOf(store, ['debian-12.0.1'], ['/vmlinuz']) });
    await cache.sync();
    await cache.sync();
    expect(await text('/debian-12.0.1')).toBe('an image');
    expect(await text('/vmlinuz')).toBe('a kernel');
    expect(gets(store, '/debian-12.0.1')).toHaveLength(1);
    expect(counts).toEqual({ fetched: 2, hit: 2 });
    expect({ images: cache.images, bytes: cache.bytes }).toEqual({ images: 2, bytes: 16 });
  });

  it.each([
    ['.md5', 'md5'],
    ['.sha256', 'sha256'],
    ['.sha512sum', 'sha512'],
  ])('refuses a file that is not what its %s says, and takes it when it is', async (suffix, algorithm) => {
    const store = await imageStoreServer();
    const whole = Buffer.from('as it should be');
    store.files.set('/os-1.0.1', Buffer.from('tampered with!!'));
    store.files.set(`/os-1.0.1${suffix}`, Buffer.from(`${createHash(algorithm).update(whole).digest('hex')}  os\n`));
    const { cache, text, log } = await cacheOf(store, { lists: listsOf(store, ['os-1.0.1']) });
    await cache.sync();
    expect(await text('/os-1.0.1')).toBeUndefined();
    expect(log.events('image-cache.failed')).toHaveLength(1);
    store.files.set('/os-1.0.1', whole);
    await cache.sync();
    expect(await text('/os-1.0.1')).toBe('as it should be');
    expect(cache.checksumFile(`${store.url}/os-1.0.1${suffix}`)).toBe(
      `${createHash(algorithm).update(whole).digest('hex')}  os-1.0.1\n`,
    );
  });

  it('follows another configuration at once', async () => {
    const [first, second] = [await imageStoreServer(), await imageStoreServer()];
    for (const store of [first, second]) store.files.set('/os-1.0.1', Buffer.from('an image'));
    const of = (store: ImageStoreServer): Partial<ImageCacheConfig> => ({
      stores: [store.url],
      images: [{ url: `${store.url}/os-1.0.1` }],
    });
    const config = { now: imageCacheSchema.parse({ stores: [first.url], ...of(first) }) };
    const { cache } = await cacheOf(first, { configNow: () => config.now });
    cache.start();
    await expect.poll(() => gets(first, '/os-1.0.1')).toHaveLength(1);
    config.now = imageCacheSchema.parse({ stores: [second.url], ...of(second) });
    cache.refresh();
    await expect.poll(() => gets(second, '/os-1.0.1')).toHaveLength(1);
    expect([cache.covers(`${first.url}/os-1.0.1`), cache.covers(`${second.url}/os-1.0.1`)]).toEqual([false, true]);
    // Of the store that is gone nothing stays.
    await expect.poll(() => cache.images).toBe(1);
  });

  it('goes on with a download that was cut off, also after a restart', async () => {
    const store = await imageStoreServer();
    const whole = bytesOf(300_000, 1);
    store.files.set('/os-1.0.1', whole);
    store.files.set('/os-1.0.1.sha256', Buffer.from(sha256(whole)));
    store.cutAfter = (path) => (path === '/os-1.0.1' ? 100_000 : undefined);
    const directory = temporaryFolder();
    const lists = listsOf(store, ['os-1.0.1']);
    const first = await cacheOf(store, { directory, lists });
    await first.cache.sync();
    expect(first.counts).toEqual({ failed: 1 });
    store.cutAfter = undefined;
    const second = await cacheOf(store, { directory, lists });
    await second.cache.sync();
    using image = await second.cache.get(`${store.url}/os-1.0.1`);
    expect(image?.sha256).toBe(sha256(whole));
    expect(gets(store, '/os-1.0.1')).toEqual(['GET /os-1.0.1 200', 'GET /os-1.0.1 206']);
  });

  it('begins anew when the file changed since its download was cut off', async () => {
    const store = await imageStoreServer();
    store.files.set('/os-1.0.1', bytesOf(200_000, 1));
    store.cutAfter = (path) => (path === '/os-1.0.1' ? 50_000 : undefined);
    const { cache } = await cacheOf(store, { lists: listsOf(store, ['os-1.0.1']) });
    await cache.sync();
    store.cutAfter = undefined;
    const newer = bytesOf(200_000, 2);
    store.files.set('/os-1.0.1', newer);
    await cache.sync();
    using image = await cache.get(`${store.url}/os-1.0.1`);
    expect(image?.sha256).toBe(sha256(newer));
  });

  it('begins anew where the store gives nothing to tell versions by', async () => {
    const store = await imageStoreServer();
    store.hasNoEtags = true;
    const whole = bytesOf(200_000, 3);
    store.files.set('/os-1.0.1', whole);
    store.cutAfter = (path) => (path === '/os-1.0.1' ? 50_000 : undefined);
    const { cache } = await cacheOf(store, { lists: listsOf(store, ['os-1.0.1']) });
    await cache.sync();
    store.cutAfter = undefined;
    await cache.sync();
    using image = await cache.get(`${store.url}/os-1.0.1`);
    expect(image?.sha256).toBe(sha256(whole));
    expect(gets(store, '/os-1.0.1')).toEqual(['GET /os-1.0.1 200', 'GET /os-1.0.1 200']);
  });

  it('replaces an image that changed in the store, and who reads the old one reads it to its end', async () => {
    const store = await imageStoreServer();
    store.files.set('/vmlinuz', Buffer.from('the old kernel'));
    const { cache, text } = await cacheOf(store, { lists: listsOf(store, [], ['/vmlinuz']) });
    await cache.sync();
    using old = await cache.get(`${store.url}/vmlinuz`);
    store.files.set('/vmlinuz', Buffer.from('a newer kernel'));
    await cache.sync();
    expect(await text('/vmlinuz')).toBe('a newer kernel');
    expect(Buffer.from(old?.read(0, 100) ?? []).toString()).toBe('the old kernel');
  });

  it('serves what it has while store and API are away, also after a restart', async () => {
    const store = await imageStoreServer();
    store.files.set('/os-1.0.1', Buffer.from('an image'));
    const directory = temporaryFolder();
    const first = await cacheOf(store, { directory, lists: listsOf(store, ['os-1.0.1']) });
    await first.cache.sync();
    store.isAway = true;
    const away = (): Promise<never> => Promise.reject(new Error('away'));
    const second = await cacheOf(store, { directory, lists: { images: away, bootFiles: away } });
    await second.cache.sync();
    expect(await second.text('/os-1.0.1')).toBe('an image');
    const third = await cacheOf(store, { directory, lists: listsOf(store, ['os-1.0.1']) });
    await third.cache.sync();
    expect(await third.text('/os-1.0.1')).toBe('an image');
  });

  it('drops what the API no longer lists, and what its limits leave no room for', async () => {
    const store = await imageStoreServer();
    for (const version of [1, 2, 3]) store.files.set(`/os-1.0.${version}`, Buffer.alloc(100, version));
    store.files.set('/gone-1.0.1', Buffer.alloc(100));
    const directory = temporaryFolder();
    const config = { maxDiskBytes: 200, minImagesPerName: 1 };
    const all = await cacheOf(store, { directory, config: {}, lists: listsOf(store, ['gone-1.0.1', 'os-1.0.1']) });
    await all.cache.sync();
    const { cache, log, text } = await cacheOf(store, {
      directory,
      config,
      lists: listsOf(store, ['os-1.0.1', 'os-1.0.2', 'os-1.0.3']),
    });
    await cache.sync();
    const reasons = log.events('image-cache.dropped').map(({ fields }) => String(fields['reason']));
    expect(reasons.toSorted()).toEqual(['not-listed', 'over-max-bytes']);
    expect(await text('/os-1.0.1')).toBeUndefined();
    expect(await text('/os-1.0.3')).toBe(Buffer.alloc(100, 3).toString());
    expect(cache.bytes).toBe(200);
  });

  it('asks a peer before the store, and takes nothing from it that has another digest', async () => {
    const [store, peer] = [await imageStoreServer(), await imageStoreServer()];
    for (const [path, body] of [
      ['/os-1.0.1', 'right'],
      ['/os-1.0.2', 'right too'],
    ] as const) {
      store.files.set(path, Buffer.from(body));
      store.files.set(`${path}.sha256`, Buffer.from(sha256(Buffer.from(body))));
    }
    peer.files.set(imagePath(`${store.url}/os-1.0.1`), Buffer.from('right'));
    peer.files.set(imagePath(`${store.url}/os-1.0.2`), Buffer.from('wrong too'));
    const { cache, text } = await cacheOf(store, {
      config: { peers: [peer.url] },
      lists: listsOf(store, ['os-1.0.1', 'os-1.0.2']),
    });
    await cache.sync();
    expect(await text('/os-1.0.1')).toBe('right');
    expect(await text('/os-1.0.2')).toBe('right too');
    expect(gets(store, '/os-1.0.1')).toEqual([]);
    expect(gets(store, '/os-1.0.2')).toHaveLength(1);
  });

  it('asks the store itself where nothing tells a peer’s old copy from the new one', async () => {
    const [store, peer] = [await imageStoreServer(), await imageStoreServer()];
    store.files.set('/os-1.0.1', Buffer.from('of today'));
    peer.files.set(imagePath(`${store.url}/os-1.0.1`), Buffer.from('of yesterday'));
    const { cache, text } = await cacheOf(store, {
      config: { peers: [peer.url] },
      lists: listsOf(store, ['os-1.0.1']),
    });
    await cache.sync();
    expect(await text('/os-1.0.1')).toBe('of today');
    await cache.sync();
    expect(gets(store, '/os-1.0.1')).toHaveLength(1);
  });

  it('knows what came from a peer by the name that the store has for it', async () => {
    const [store, peer] = [await imageStoreServer(), await imageStoreServer()];
    store.files.set('/os-1.0.1', Buffer.from('right'));
    store.files.set('/os-1.0.1.sha256', Buffer.from(sha256(Buffer.from('right'))));
    // As another boot server names it.
    peer.etagOf = (body) => `"${sha256(body)}"`;
    peer.files.set(imagePath(`${store.url}/os-1.0.1`), Buffer.from('right'));
    const { cache } = await cacheOf(store, { config: { peers: [peer.url] }, lists: listsOf(store, ['os-1.0.1']) });
    await cache.sync();
    await cache.sync();
    expect(gets(store, '/os-1.0.1.sha256')).toHaveLength(1);
    expect(gets(peer, imagePath(`${store.url}/os-1.0.1`))).toHaveLength(1);
  });

  it('has what its configuration vouches for from a peer while the store is away', async () => {
    const [store, peer] = [await imageStoreServer(), await imageStoreServer()];
    store.isAway = true;
    peer.files.set(imagePath(`${store.url}/vmlinuz`), Buffer.from('a kernel'));
    const pinned = { url: `${store.url}/vmlinuz`, sha256: sha256(Buffer.from('a kernel')) };
    const { cache, text } = await cacheOf(store, { config: { peers: [peer.url], images: [pinned] } });
    await cache.sync();
    expect(await text('/vmlinuz')).toBe('a kernel');
  });

  it('fetches anew what is not what its configuration asks for by now', async () => {
    const store = await imageStoreServer();
    store.files.set('/vmlinuz', Buffer.from('a kernel'));
    const directory = temporaryFolder();
    const before = await cacheOf(store, { directory, config: { images: [{ url: `${store.url}/vmlinuz` }] } });
    await before.cache.sync();
    const pinned = { url: `${store.url}/vmlinuz`, sha256: sha256(Buffer.from('another')) };
    const { cache, log } = await cacheOf(store, { directory, config: { images: [pinned] } });
    await cache.sync();
    expect(log.events('image-cache.failed')[0]?.msg).toContain(`should be ${pinned.sha256}`);
  });

  it('drops what has begun of an image that nobody lists any more, and nothing else', async () => {
    const store = await imageStoreServer();
    const directory = temporaryFolder();
    const before = await openCacheDirectory(directory);
    const body = bytesOf(100, 1);
    for (const path of ['/os-1.0.1', '/os-1.0.2']) {
      const url = `${store.url}${path}`;
      store.files.set(path, body);
      await before.beginPart({ url, etag: store.etagOf(body) });
      writeFileSync((await before.partOf(url)).path, body.subarray(0, 50));
    }
    const parts = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.part'));
    const { cache } = await cacheOf(store, { directory, lists: listsOf(store, ['os-1.0.2']) });
    // The store is away for once: that is no reason to begin anew.
    store.isAway = true;
    await cache.sync();
    expect(parts()).toHaveLength(1);
    store.isAway = false;
    await cache.sync();
    expect(gets(store, '/os-1.0.2')).toEqual(['GET /os-1.0.2 206']);
  });

  it('leaves alone what is in none of its stores, and what its configuration excludes', async () => {
    const [store, other] = [await imageStoreServer(), await imageStoreServer()];
    other.files.set('/os-1.0.1', Buffer.from('x'));
    store.files.set('/pull_requests/os-1.0.2', Buffer.from('y'));
    const { cache } = await cacheOf(store, {
      lists: {
        images: () =>
          Promise.resolve([
            { id: 'os-1.0.1', url: `${other.url}/os-1.0.1`, expiresAt: undefined },
            { id: 'os-1.0.2', url: `${store.url}/pull_requests/os-1.0.2`, expiresAt: undefined },
            { id: 'os-1.0.3', url: 'no URL', expiresAt: undefined },
          ]),
        bootFiles: () => Promise.resolve(['file:///srv/vmlinuz']),
      },
    });
    await cache.sync();
    expect(cache.images).toBe(0);
    expect([...store.answers, ...other.answers]).toEqual([]);
  });

  it('clears away what a killed server left half done, and counts a shortened file as none', async () => {
    const store = await imageStoreServer();
    store.files.set('/os-1.0.1', Buffer.from('an image'));
    const directory = temporaryFolder();
    const first = await cacheOf(store, { directory, lists: listsOf(store, ['os-1.0.1']) });
    await first.cache.sync();
    const image = readdirSync(directory).find((name) => name.endsWith('.img')) ?? '';
    writeFileSync(join(directory, image), 'an im');
    writeFileSync(join(directory, `${'0'.repeat(40)}.img`), 'without a description');
    writeFileSync(join(directory, 'x.json.tmp'), '{');
    writeFileSync(join(directory, `${'1'.repeat(40)}.part`), 'of nobody knows what');
    const second = await cacheOf(store, { directory, lists: listsOf(store, ['os-1.0.1']) });
    expect(readdirSync(directory).filter((name) => name !== image)).toEqual([]);
    await second.cache.sync();
    expect(await second.text('/os-1.0.1')).toBe('an image');
  });

  it('ends a download that exceeds its limit, whatever length the store told', async () => {
    const store = await imageStoreServer();
    store.files.set('/os-1.0.1', Buffer.alloc(500));
    const { cache, log } = await cacheOf(store, {
      config: { maxDiskBytes: 100, minImagesPerName: 1 },
      lists: listsOf(store, ['os-1.0.1']),
    });
    await cache.sync();
    expect(cache.images).toBe(0);
    expect(log.events('image-cache.failed')).toHaveLength(1);
  });
});

describe('boot files out of the image cache', () => {
  it('are copied a piece at a time, with everybody else answered in between', async () => {
    const store = await imageStoreServer();
    store.files.set('/initrd', bytesOf(5_000_000, 1));
    const { cache } = await cacheOf(store, { lists: listsOf(store, [], ['/initrd']) });
    await cache.sync();
    const fetchFile = cachedFetch(cache, () => Promise.reject(new Error('the store was asked')));
    const memory = contentMemory(undefined);
    let turns = 0;
    const state = { isOver: false };
    const turning = (async () => {
      while (!state.isOver) {
        await nextTurn();
        turns += 1;
      }
    })();
    await fetchFile(`${store.url}/initrd`, {
      etag: undefined,
      openWriter: (size) => memory.create(size),
      signal: new AbortController().signal,
    });
    state.isOver = true;
    await turning;
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('need no store, and are read again only when they changed', async () => {
    const store = await imageStoreServer();
    store.files.set('/vmlinuz', Buffer.from('a kernel'));
    const { cache } = await cacheOf(store, { lists: listsOf(store, [], ['/vmlinuz']) });
    await cache.sync();
    store.isAway = true;
    const fetchFile = cachedFetch(cache, () => Promise.reject(new Error('the store was asked')));
    const memory = contentMemory(undefined);
    const options = {
      etag: undefined,
      openWriter: (size: number | undefined) => memory.create(size),
      signal: new AbortController().signal,
    };
    const result = await fetchFile(`${store.url}/vmlinuz`, options);
    if (result.kind !== 'body') throw new Error('no body');
    expect(Buffer.from(result.content.read(0, 100)).toString()).toBe('a kernel');
    expect(await fetchFile(`${store.url}/vmlinuz`, { ...options, etag: result.etag })).toEqual({ kind: 'unchanged' });
    await expect(fetchFile(`${store.url}/other`, options)).rejects.toThrow('the store was asked');
  });
});
