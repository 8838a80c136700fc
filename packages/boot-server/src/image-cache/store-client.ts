import { DIGEST_FILES, parseDigestFile, type Digest } from './digest.ts';

/** What a store says of a file without sending it. */
export interface StoreFile {
  /** Undefined when the store does not tell. */
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Questions to a store of images, over HTTP. Each rejects when the store is away, or says something odd. */
export interface StoreClient {
  /** Undefined when there is no such file. */
  head(url: string, signal: AbortSignal): Promise<StoreFile | undefined>;
  /** The strongest digest that lies beside the file; undefined when there is none. */
  digest(url: string, signal: AbortSignal): Promise<Digest | undefined>;
}

const TIMEOUT_MS = 10_000;
/** A checksum file is one line; a page that says "not found" with status 200 is not read to its end. */
const MAX_DIGEST_BYTES = 4_096;

export function httpStoreClient(): StoreClient {
  return {
    head: async (url, signal) => {
      const response = await ask(url, 'HEAD', signal);
      if (response === undefined) return undefined;
      const length = response.headers.get('content-length');
      return {
        sizeBytes: length === null || !/^\d{1,15}$/.test(length) ? undefined : Number(length),
        etag: response.headers.get('etag') ?? undefined,
        lastModified: response.headers.get('last-modified') ?? undefined,
      };
    },
    digest: async (url, signal) => {
      for (const file of DIGEST_FILES) {
        const beside = new URL(url);
        beside.pathname += file.suffix;
        const response = await ask(beside.href, 'GET', signal);
        if (response?.body == null) continue;
        const found = parseDigestFile(await readStart(response.body), file);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

async function ask(url: string, method: 'GET' | 'HEAD', signal: AbortSignal): Promise<Response | undefined> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    headers: { 'accept-encoding': 'identity' },
  });
  if (response.ok) return response;
  await response.body?.cancel();
  // Object stores answer 403 for what is not there to those who may not list.
  if (response.status === 404 || response.status === 403 || response.status === 410) return undefined;
  throw new Error(`${url} answers ${response.status} ${response.statusText}`);
}

async function readStart(body: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest.
  for await (const part of body) {
    parts.push(part);
    size += part.byteLength;
    if (size >= MAX_DIGEST_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, MAX_DIGEST_BYTES).toString('latin1');
}
