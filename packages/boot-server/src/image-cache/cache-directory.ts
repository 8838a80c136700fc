import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Digests } from './digest.ts';

/** A whole, verified image on disk. */
export interface CachedImage {
  readonly url: string;
  readonly sizeBytes: number;
  /** Hex digits, lower case, of what lies on disk. */
  readonly digests: Digests;
  /** What the store called this version, for asking whether it is still the newest. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
}

/** What a download that has begun is a part of. */
export interface PartialImage {
  readonly url: string;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** The folder of the image cache. Names are hashes of URLs: no part of a URL becomes a path. */
export interface CacheDirectory {
  list(): readonly CachedImage[];
  find(url: string): CachedImage | undefined;
  /** Opens the image for reading; it stays readable when it is replaced or removed meanwhile. Undefined when it is gone. */
  open(url: string): Promise<{ readonly image: CachedImage; readonly file: FileHandle } | undefined>;
  /** URLs of the downloads that have begun. */
  parts(): readonly string[];
  /** The file that a download writes into, with what it is a part of and how much of it; it survives a restart. */
  partOf(
    url: string,
  ): Promise<{ readonly path: string; readonly about: PartialImage | undefined; readonly sizeBytes: number }>;
  beginPart(about: PartialImage): Promise<void>;
  dropPart(url: string): Promise<void>;
  /** Turns the part, whose bytes are complete and verified, into the image. */
  commit(image: CachedImage): Promise<void>;
  remove(url: string): Promise<void>;
}

const optionalText = z.string().optional();
const cachedImage = z.strictObject({
  url: z.string(),
  sizeBytes: z.int().min(0),
  digests: z.strictObject({ sha512: z.string(), sha256: z.string(), md5: z.string() }),
  etag: optionalText,
  lastModified: optionalText,
  fetchedAt: z.number(),
});
const partialImage = z.strictObject({ url: z.string(), etag: optionalText, lastModified: optionalText });

/**
 * Opens the folder, makes it when it is missing, and clears away what a killed server left half done; parts of
 * downloads stay, to be gone on with. Rejects with the system's error when the folder cannot be used.
 */
export async function openCacheDirectory(directory: string): Promise<CacheDirectory> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const images = new Map<string, CachedImage>();
  const parts = new Set<string>();
  /** Images whose file is being replaced: it is one version on disk, and still the other in `images`. */
  const replacing = new Map<string, Promise<void>>();
  const at = (url: string, ending: 'img' | 'json' | 'part' | 'part.json'): string =>
    join(directory, `${createHash('sha256').update(url).digest('hex').slice(0, 40)}.${ending}`);

  const names = new Set(await readdir(directory));
  for (const name of names) {
    const path = join(directory, name);
    if (name.endsWith('.tmp')) await rm(path, { force: true });
    if (name.endsWith('.img') && !names.has(name.replace(/img$/, 'json'))) await rm(path, { force: true });
    if (name.endsWith('.json') && !name.endsWith('.part.json')) {
      const image = await readJson(path, cachedImage);
      const sizeBytes = await sizeOf(path.replace(/json$/, 'img'));
      if (image !== undefined && sizeBytes === image.sizeBytes) images.set(image.url, image);
      else await rm(path, { force: true });
    }
    if (name.endsWith('.part.json')) {
      const part = await readJson(path, partialImage);
      if (part === undefined) await rm(path, { force: true });
      else parts.add(part.url);
    }
    if (name.endsWith('.part') && !names.has(`${name}.json`)) await rm(path, { force: true });
  }
  const replace = async (image: CachedImage): Promise<void> => {
    const { url } = image;
    // In this order a crash leaves an image without its description, which the next start removes.
    await rm(at(url, 'json'), { force: true });
    await rename(at(url, 'part'), at(url, 'img'));
    images.set(url, image);
    await writeJson(at(url, 'json'), image);
    await rm(at(url, 'part.json'), { force: true });
    parts.delete(url);
  };
  return {
    list: () => [...images.values()],
    find: (url) => images.get(url),
    open: async (url) => {
      for (;;) {
        await replacing.get(url);
        const image = images.get(url);
        if (image === undefined) return undefined;
        const file = await open(at(url, 'img'), 'r').catch(() => undefined);
        if (images.get(url) === image && !replacing.has(url)) {
          if (file !== undefined) return { image, file };
          // Somebody tidied up the folder: it counts as missing until the next round.
          images.delete(url);
          return undefined;
        }
        // It may be another version than `image` says.
        await file?.close();
      }
    },
    parts: () => [...parts],
    partOf: async (url) => {
      const path = at(url, 'part');
      const about = await readJson(at(url, 'part.json'), partialImage);
      return { path, about: about?.url === url ? about : undefined, sizeBytes: (await sizeOf(path)) ?? 0 };
    },
    beginPart: async (about) => {
      parts.add(about.url);
      await rm(at(about.url, 'part'), { force: true });
      await writeJson(at(about.url, 'part.json'), about);
    },
    dropPart: async (url) => {
      parts.delete(url);
      await rm(at(url, 'part'), { force: true });
      await rm(at(url, 'part.json'), { force: true });
    },
    commit: async (image) => {
      const done = replace(image);
      // A commit that fails leaves what it says.
      replacing.set(
        image.url,
        done.catch(() => undefined),
      );
      try {
        await done;
      } finally {
        replacing.delete(image.url);
      }
    },
    remove: async (url) => {
      images.delete(url);
      parts.delete(url);
      for (const ending of ['json', 'img', 'part', 'part.json'] as const) await rm(at(url, ending), { force: true });
    },
  };
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.tmp`, `${JSON.stringify(value)}\n`, { flush: true });
  await rename(`${path}.tmp`, path);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path, 'r');
    return (await file.stat()).size;
  } catch {
    return undefined;
  }
}
