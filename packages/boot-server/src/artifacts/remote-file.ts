import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { fetchFailure } from '../error-words.ts';
import type { Content, ContentWriter } from './content.ts';

export type RemoteResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'body'; readonly content: Content; readonly etag: string | undefined };

/**
 * Fetches `uri` whole, into what `openWriter` makes for its size, if the server tells that. `etag` is that of the copy
 * at hand. Throws BootServerError ARTIFACT_UNAVAILABLE, and what the writer throws.
 */
export type RemoteFetch = (
  uri: string,
  options: {
    etag: string | undefined;
    openWriter: (sizeBytes: number | undefined) => ContentWriter;
    signal: AbortSignal;
  },
) => Promise<RemoteResult>;

/** For the whole file: a 100 MB initrd over a slow link takes minutes, and a server that drips holds up every machine. */
const FETCH_TIMEOUT_MS = 5 * 60_000;

/** `RemoteFetch` over the platform's `fetch`. */
export const fetchRemoteFile: RemoteFetch = async (uri, { etag, openWriter, signal }) => {
  let writer: ContentWriter | undefined;
  try {
    const response = await fetch(uri, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]),
      // Content-Length is then that of the file.
      headers: { 'accept-encoding': 'identity', ...(etag === undefined ? {} : { 'if-none-match': etag }) },
    });
    if (response.status === 304) return { kind: 'unchanged' };
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status} ${response.statusText}`);
    }
    const length = response.headers.get('content-encoding') === null ? response.headers.get('content-length') : null;
    writer = openWriter(length === null ? undefined : Number(length));
    for await (const part of response.body) writer.write(part);
    return { kind: 'body', content: writer.finish(), etag: response.headers.get('etag') ?? undefined };
  } catch (cause) {
    writer?.discard();
    if (cause instanceof BootServerError) throw cause;
    throw new BootServerError(
      BootServerErrorCode.ArtifactUnavailable,
      `cannot fetch ${uri}: ${fetchFailure(cause)}`,
      cause,
    );
  }
};
