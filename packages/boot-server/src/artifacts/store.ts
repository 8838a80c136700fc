import { fileURLToPath } from 'node:url';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { SharedContent, type Artifact } from './artifact.ts';
import { memoryBudget } from './budget.ts';
import type { Content, ContentMemory, ContentWriter } from './content.ts';
import { isPassing, type FileVersion, type LocalFiles } from './local-file.ts';
import type { RemoteFetch } from './remote-file.ts';

export interface ArtifactStore {
  /**
   * The newest whole version of `uri` (file:, http: or https:), to be released by the caller. Many callers share one
   * load. With `sha256`, 64 hex digits, only what has that hash. Throws BootServerError ARTIFACT_*.
   */
  get(uri: string, expected?: { readonly sha256: string | undefined }): Promise<Artifact>;
  /** Bytes in memory: held for the next request, being loaded, or being sent to somebody. */
  readonly heldBytes: number;
  /** Gives up what is held; what is being sent stays until it is released. */
  close(): void;
}

export interface ArtifactStoreComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: LocalFiles;
  readonly fetchRemote: RemoteFetch;
  readonly memory: ContentMemory;
  /** For all artifacts together. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** cp(1) and scp(1) write into the file that is there, with pauses: until then it may be half of what it is to be. */
const SETTLE_MS = 2_000;

/** How long a fetched copy counts as fresh: a rack that boots together asks the upstream once. */
const REVALIDATE_MS = 60_000;

interface Held {
  readonly shared: SharedContent;
  /** The file's stamp, or the upstream's ETag. */
  readonly version: string | undefined;
  /** Which file it was read from. */
  readonly file?: string | undefined;
  readonly checkedAt: number;
}

/** A load under way. Its own hold lasts until each of those who wait has one: nothing can take the content in between. */
interface Load {
  readonly done: Promise<Artifact>;
  waiting: number;
}

/** Kernels and initrds in memory: read once, hashed once, sent to many from the same memory. */
export function createArtifactStore(components: ArtifactStoreComponents): ArtifactStore {
  const { clock, log, files, fetchRemote, memory, maxBytes, signal } = components;
  // In order of use: the first is the one to give up when space is short.
  const held = new Map<string, Held>();
  const loading = new Map<string, Load>();

  const drop = (uri: string): void => {
    const known = held.get(uri);
    held.delete(uri);
    known?.shared.release();
  };
  const budget = memoryBudget(maxBytes, () => {
    // To drop what is being sent would free nothing.
    for (const [uri, { shared }] of held) {
      if (shared.isInUse) continue;
      drop(uri);
      return true;
    }
    return false;
  });
  /** A writer within the budget, and what its content becomes. */
  const openContent = (
    uri: string,
  ): { open: (sizeBytes: number | undefined) => ContentWriter; share: (content: Content) => SharedContent } => {
    let release = (): void => undefined;
    return {
      open: (sizeBytes) => {
        const claim = budget.claim(uri, sizeBytes ?? 0);
        release = () => claim.release();
        let writer: ContentWriter;
        try {
          writer = memory.create(sizeBytes);
        } catch (error) {
          claim.release();
          throw error;
        }
        return {
          get sizeBytes() {
            return writer.sizeBytes;
          },
          write: (chunk) => {
            claim.grow(writer.sizeBytes + chunk.byteLength);
            writer.write(chunk);
          },
          finish: () => {
            const content = writer.finish();
            claim.settle(content.sizeBytes);
            return content;
          },
          discard: () => {
            writer.discard();
            claim.release();
          },
        };
      },
      share: (content) => new SharedContent(uri, content, () => release()),
    };
  };
  const keep = (shared: SharedContent, version: string | undefined, file?: string): Artifact => {
    const { uri, content } = shared;
    drop(uri);
    held.set(uri, { shared, version, file, checkedAt: clock.monotonic() });
    log.info({ event: 'artifact.loaded', uri, bytes: content.sizeBytes, sha256: content.sha256 }, `loaded ${uri}`);
    return shared.hold();
  };
  const isBeingWritten = ({ writtenAt }: FileVersion): boolean => {
    const ageMs = clock.now() - writtenAt;
    return ageMs >= 0 && ageMs < SETTLE_MS;
  };
  const fromDisk = async (uri: string, mayBeStale: boolean): Promise<Artifact> => {
    let path: string;
    try {
      path = fileURLToPath(uri);
    } catch (cause) {
      throw new BootServerError(
        BootServerErrorCode.ArtifactRefused,
        `${uri} names no local file: write file:///absolute/path`,
        cause,
      );
    }
    try {
      if (held.has(uri)) {
        const now = await files.version(path);
        const known = held.get(uri);
        if (known?.version === now.stamp) return known.shared.hold();
        if (known !== undefined && known.file === now.file && mayBeStale && isBeingWritten(now)) {
          log.warn(
            { event: 'artifact.stale', uri },
            `serving the copy of ${uri} at hand, for it is being written: write a new file beside it and rename it`,
          );
          return known.shared.hold();
        }
      }
      const { open, share } = openContent(uri);
      const { content, version } = await files.read(path, open);
      return keep(share(content), version.stamp, version.file);
    } catch (error) {
      const known = held.get(uri);
      if (known === undefined || !mayBeStale || !isPassing(error)) throw error;
      log.warn({ event: 'artifact.stale', uri, err: error }, `serving the copy of ${uri} at hand: ${wordsOf(error)}`);
      return known.shared.hold();
    }
  };
  const fromUpstream = async (uri: string, mayBeStale: boolean): Promise<Artifact> => {
    const fresh = held.get(uri);
    if (fresh !== undefined && mayBeStale && clock.monotonic() - fresh.checkedAt < REVALIDATE_MS)
      return fresh.shared.hold();
    const { open, share } = openContent(uri);
    try {
      const result = await fetchRemote(uri, { etag: fresh?.version, openWriter: open, signal });
      if (result.kind === 'body') return keep(share(result.content), result.etag);
    } catch (error) {
      if (!held.has(uri)) throw error;
      log.warn({ event: 'artifact.stale', uri, err: error }, `serving the copy of ${uri} at hand: ${wordsOf(error)}`);
    }
    const known = held.get(uri);
    if (known === undefined)
      throw new BootServerError(
        BootServerErrorCode.ArtifactUnavailable,
        `${uri} answers 304, and the copy that it meant is gone: ask again`,
      );
    held.set(uri, { ...known, checkedAt: clock.monotonic() });
    return known.shared.hold();
  };
  const load = (uri: string, mayBeStale: boolean): Promise<Artifact> => {
    switch (uri.slice(0, uri.indexOf(':') + 1).toLowerCase()) {
      case 'file:':
        return fromDisk(uri, mayBeStale);
      case 'http:':
      case 'https:':
        return fromUpstream(uri, mayBeStale);
      default:
        return Promise.reject(
          new BootServerError(
            BootServerErrorCode.ArtifactRefused,
            `${uri} is neither a file:, an http: nor an https: URI`,
          ),
        );
    }
  };
  const start = (uri: string, mayBeStale: boolean): Load => {
    const known = held.get(uri);
    if (known !== undefined) {
      held.delete(uri);
      held.set(uri, known);
    }
    const started = { done: load(uri, mayBeStale).finally(() => loading.delete(uri)), waiting: 0 };
    loading.set(uri, started);
    return started;
  };
  const join = async (uri: string, mayBeStale: boolean): Promise<Artifact> => {
    const running = loading.get(uri) ?? start(uri, mayBeStale);
    running.waiting += 1;
    const loaded = await running.done;
    const own = loaded.retain();
    running.waiting -= 1;
    if (running.waiting === 0) loaded.release();
    return own;
  };
  return {
    get: async (uri, expected) => {
      const wanted = expected?.sha256?.toLowerCase();
      const artifact = await join(uri, true);
      if (wanted === undefined || artifact.sha256 === wanted) return artifact;
      artifact.release();
      // The store may have an older version for a minute.
      const newest = await join(uri, false);
      if (newest.sha256 === wanted) return newest;
      const { sha256 } = newest;
      newest.release();
      throw new BootServerError(
        BootServerErrorCode.ArtifactMismatch,
        `${uri} has the SHA-256 ${sha256}, and ${wanted} is asked for: put the right file there, or correct the hash`,
      );
    },
    get heldBytes() {
      return budget.usedBytes;
    },
    close: () => {
      for (const uri of held.keys()) drop(uri);
    },
  };
}
