import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { tooLarge } from './local-file.ts';

export type RemoteResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'body'; readonly bytes: Uint8Array; readonly etag: string | undefined };

/** Fetches `uri` whole. `etag` is that of the copy at hand. Throws ARTIFACT_UNAVAILABLE or ARTIFACT_TOO_LARGE. */
export type RemoteFetch = (
  uri: string,
  options: { etag: string | undefined; maxBytes: number; signal: AbortSignal },
) => Promise<RemoteResult>;

/** From silence to giving up; a 100 MB initrd over a slow link takes minutes. */
const FETCH_TIMEOUT_MS = 5 * 60_000;

/** `RemoteFetch` over the platform's `fetch`. */
export const fetchRemoteFile: RemoteFetch = async (uri, { etag, maxBytes, signal }) => {
  try {
    const response = await fetch(uri, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]),
      headers: etag === undefined ? {} : { 'if-none-match': etag },
    });
    if (response.status === 304) return { kind: 'unchanged' };
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status} ${response.statusText}`);
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body) {
      size += part.byteLength;
      if (size > maxBytes) throw tooLarge(uri, size, maxBytes);
      parts.push(part);
    }
    return { kind: 'body', bytes: Buffer.concat(parts, size), etag: response.headers.get('etag') ?? undefined };
  } catch (cause) {
    if (cause instanceof BootServerError) throw cause;
    throw new BootServerError(
      BootServerErrorCode.ArtifactUnavailable,
      `cannot fetch ${uri}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
};
