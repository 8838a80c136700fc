import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { CachedImage, CacheDirectory } from './cache-directory.ts';
import type { Digest, Digests } from './digest.ts';

export interface DownloadComponents {
  readonly directory: CacheDirectory;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface DownloadOrder {
  /** The image's own URL, under which it is kept. */
  readonly url: string;
  /** Where to get it, the first that works: peers' copies, then the store itself. */
  readonly sources: readonly string[];
  /** Undefined when the store has none: then length and ETag are all that can be checked. */
  readonly digest: Digest | undefined;
  readonly maxBytes: number;
}

/** Sent to peers: answer from your own disk or not at all. */
export const CACHE_ONLY_HEADER = 'ingot-cache-only';

/** Without a byte: a store that hangs. */
const STALL_MS = 30_000;

/**
 * Fetches one image into the directory. A download that was cut off goes on where it stopped (RFC 9110 §14, If-Range),
 * also after a restart. Rejects with BootServerError ARTIFACT_UNAVAILABLE, ARTIFACT_TOO_LARGE or ARTIFACT_REFUSED (the
 * digest is wrong), telling what each source said.
 */
export async function downloadImage(components: DownloadComponents, order: DownloadOrder): Promise<CachedImage> {
  const failures: string[] = [];
  let last: unknown;
  for (const source of order.sources) {
    try {
      return await downloadFrom(components, order, source);
    } catch (error) {
      if (components.signal.aborted) throw error;
      last = error;
      failures.push(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const code = last instanceof BootServerError ? last.code : BootServerErrorCode.ArtifactUnavailable;
  throw new BootServerError(code, `cannot fetch ${order.url}: ${failures.join('; ')}`, last);
}

async function downloadFrom(
  { directory, clock, signal }: DownloadComponents,
  order: DownloadOrder,
  source: string,
): Promise<CachedImage> {
  const { url, digest, maxBytes } = order;
  const stalled = new AbortController();
  const watch = (): { cancel(): void } =>
    clock.setTimeout(() => stalled.abort(new Error(`no byte for ${STALL_MS / 1000} s`)), STALL_MS);
  let timer = watch();
  try {
    const { path, about } = await directory.partOf(url);
    let part: FileHandle = await open(path, 'a');
    try {
      let have = (await part.stat()).size;
      const validator = about?.url === url ? (about.etag ?? about.lastModified) : undefined;
      const response = await fetch(source, {
        signal: AbortSignal.any([signal, stalled.signal]),
        headers: {
          ...(source === url ? {} : { [CACHE_ONLY_HEADER]: '1' }),
          // A body that is compressed on the way has other lengths than the file.
          'accept-encoding': 'identity',
          ...(have > 0 && validator !== undefined ? { range: `bytes=${have}-`, 'if-range': validator } : {}),
        },
      });
      const isContinued = response.status === 206 && startOf(response) === have;
      if (!isContinued && response.status !== 200) {
        await response.body?.cancel();
        // Out of range: what lies there is no part of today's file.
        if (response.status === 416 || response.status === 206) await directory.dropPart(url);
        throw new Error(`it answers ${response.status} ${response.statusText}`);
      }
      const etag = strongEtag(response.headers.get('etag'));
      const lastModified = response.headers.get('last-modified') ?? undefined;
      if (!isContinued) {
        await part.close();
        await directory.beginPart({ url, etag, lastModified });
        part = await open(path, 'a');
        have = 0;
      }
      const length = response.headers.get('content-length');
      const expected = length === null ? undefined : have + Number(length);
      if (expected !== undefined && expected > maxBytes) {
        await response.body?.cancel();
        throw tooLarge(url, expected, maxBytes);
      }
      for await (const chunk of response.body ?? []) {
        have += chunk.byteLength;
        if (have > maxBytes) throw tooLarge(url, have, maxBytes);
        await part.writeFile(chunk);
        timer.cancel();
        timer = watch();
      }
      if (expected !== undefined && have !== expected) throw new Error(`it ended after ${have} of ${expected} bytes`);
      await part.sync();
      const digests = await verify(directory, { url, path, digest });
      const image: CachedImage = { url, sizeBytes: have, digests, etag, lastModified, fetchedAt: clock.now() };
      await directory.commit(image);
      return image;
    } finally {
      await part.close();
    }
  } catch (error) {
    // fetch says only "aborted"; the reason is ours.
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    timer.cancel();
  }
}

/** Hashes the file, and drops it when it is not what it should be: going on with wrong bytes cannot mend them. */
async function verify(
  directory: CacheDirectory,
  { url, path, digest }: { url: string; path: string; digest: Digest | undefined },
): Promise<Digests> {
  const hashes = { sha512: createHash('sha512'), sha256: createHash('sha256'), md5: createHash('md5') };
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 }))
    for (const hash of Object.values(hashes)) hash.update(chunk);
  const { sha512, sha256, md5 } = hashes;
  const digests: Digests = { sha512: sha512.digest('hex'), sha256: sha256.digest('hex'), md5: md5.digest('hex') };
  if (digest !== undefined && digests[digest.algorithm] !== digest.hex) {
    await directory.dropPart(url);
    throw new BootServerError(
      BootServerErrorCode.ArtifactRefused,
      `its ${digest.algorithm} is ${digests[digest.algorithm]}, and should be ${digest.hex}: the file or its checksum is broken`,
    );
  }
  return digests;
}

function startOf(response: Response): number | undefined {
  const match = /^bytes (?<first>\d{1,15})-/.exec(response.headers.get('content-range') ?? '');
  return match?.groups?.['first'] === undefined ? undefined : Number(match.groups['first']);
}

/** RFC 9110 §13.1.5: a weak one must not be used for If-Range. */
function strongEtag(header: string | null): string | undefined {
  return header === null || header.startsWith('W/') ? undefined : header;
}

function tooLarge(url: string, sizeBytes: number, maxBytes: number): BootServerError {
  return new BootServerError(
    BootServerErrorCode.ArtifactTooLarge,
    `${url} has ${sizeBytes} bytes, and imageCache.maxDiskBytes is ${maxBytes}: raise it`,
  );
}
