import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { CachedImage, CacheDirectory, PartialImage } from './cache-directory.ts';
import type { Digest, Digests } from './digest.ts';
import type { StoreFile } from './store-client.ts';

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
  /** What the store says of it; undefined while it is away. */
  readonly store: StoreFile | undefined;
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
      failures.push(`${source}: ${wordsOf(error)}`);
    }
  }
  const code = last instanceof BootServerError ? last.code : BootServerErrorCode.ArtifactUnavailable;
  throw new BootServerError(code, `cannot fetch ${order.url}: ${failures.join('; ')}`, last);
}

async function downloadFrom(
  components: DownloadComponents,
  order: DownloadOrder,
  source: string,
): Promise<CachedImage> {
  const { directory, clock } = components;
  const { url, digest, store } = order;
  const { path, sizeBytes, etag, lastModified } = await fetchPart(components, order, source);
  const digests = await verify(directory, { url, path, digest });
  // A peer has its own name for this version: what is asked for later is whether the store still has it.
  const version = source === url ? { etag, lastModified } : { etag: store?.etag, lastModified: store?.lastModified };
  const image: CachedImage = { url, sizeBytes, digests, ...version, fetchedAt: clock.now() };
  await directory.commit(image);
  return image;
}

/** All bytes of a version, in the directory's part; not verified yet. */
interface WholePart extends PartialImage {
  readonly path: string;
  readonly sizeBytes: number;
}

async function fetchPart(components: DownloadComponents, order: DownloadOrder, source: string): Promise<WholePart> {
  const { directory, clock, signal } = components;
  const { url, digest, maxBytes, store } = order;
  const stalled = new AbortController();
  const watch = (): { cancel(): void } =>
    clock.setTimeout(() => stalled.abort(new Error(`no byte for ${STALL_MS / 1000} s`)), STALL_MS);
  let timer = watch();
  try {
    const { path, about, sizeBytes: before } = await directory.partOf(url);
    const validator = about?.etag ?? about?.lastModified;
    const begun = before > 0 && validator !== undefined ? about : undefined;
    const response = await fetch(source, {
      signal: AbortSignal.any([signal, stalled.signal]),
      headers: {
        ...(source === url ? {} : { [CACHE_ONLY_HEADER]: '1' }),
        // A body that is compressed on the way has other lengths than the file.
        'accept-encoding': 'identity',
        ...(begun === undefined || validator === undefined ? {} : { range: `bytes=${before}-`, 'if-range': validator }),
      },
    });
    // The server was killed between the last byte and the end of its verification.
    if (begun !== undefined && digest !== undefined && isBehindEnd(response, before)) {
      await response.body?.cancel();
      return { ...begun, path, sizeBytes: before };
    }
    const isContinued = begun !== undefined && continues(response, before, begun);
    if (!isContinued && response.status !== 200) {
      await response.body?.cancel();
      if (begun !== undefined && (response.status === 416 || response.status === 206)) {
        // What lies there is no part of today's file.
        await directory.dropPart(url);
        // It has a timer of its own.
        timer.cancel();
        return await fetchPart(components, order, source);
      }
      throw new Error(`it answers ${response.status} ${response.statusText}`);
    }
    const coding = response.headers.get('content-encoding');
    if (coding !== null) {
      await response.body?.cancel();
      throw new Error(`it sends the file in another form (Content-Encoding: ${coding}): turn that off for this file`);
    }
    const version: PartialImage = isContinued ? begun : { url, ...versionOf(response) };
    if (!isContinued) await directory.beginPart(version);
    let have = isContinued ? before : 0;
    const length = response.headers.get('content-length');
    // Without a length, a line that is cut looks like the end.
    const expected = length === null ? (source === url ? store?.sizeBytes : undefined) : have + Number(length);
    if (expected !== undefined && expected > maxBytes) {
      await response.body?.cancel();
      throw tooLarge(url, expected, maxBytes);
    }
    await using part = await open(path, 'a');
    for await (const chunk of response.body ?? []) {
      have += chunk.byteLength;
      if (have > maxBytes) throw tooLarge(url, have, maxBytes);
      await part.writeFile(chunk);
      timer.cancel();
      timer = watch();
    }
    if (expected !== undefined && have !== expected) throw new Error(`it ended after ${have} of ${expected} bytes`);
    await part.sync();
    return { ...version, path, sizeBytes: have };
  } catch (error) {
    // The leases and the rest of dataDir need what there is: an image can be fetched again.
    if (isDiskFull(error)) await directory.dropPart(url);
    // fetch says only "aborted"; the reason is ours.
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    timer.cancel();
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Whether the answer is the rest of what has begun; a store may know Range, and not If-Range. */
function continues(response: Response, before: number, begun: PartialImage): boolean {
  const { etag, lastModified } = versionOf(response);
  return (
    response.status === 206 &&
    /^bytes (?<first>\d{1,15})-/.exec(response.headers.get('content-range') ?? '')?.groups?.['first'] === `${before}` &&
    (etag === undefined || begun.etag === undefined || etag === begun.etag) &&
    (lastModified === undefined || begun.lastModified === undefined || lastModified === begun.lastModified)
  );
}

/** Whether the file ends where the question begins (RFC 9110 §15.5.17). */
function isBehindEnd(response: Response, before: number): boolean {
  return response.status === 416 && response.headers.get('content-range') === `bytes */${before}`;
}

function versionOf({ headers }: Response): Pick<PartialImage, 'etag' | 'lastModified'> {
  return { etag: strongEtag(headers.get('etag')), lastModified: headers.get('last-modified') ?? undefined };
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
