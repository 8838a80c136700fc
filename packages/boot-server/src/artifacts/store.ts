import { fileURLToPath } from 'node:url';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { makeArtifact, type Artifact } from './artifact.ts';
import { tooLarge, type LocalFiles } from './local-file.ts';
import type { RemoteFetch } from './remote-file.ts';

export interface ArtifactStore {
  /**
   * The newest whole version of `uri` (file:, http: or https:). Many callers share one load. Whoever holds an artifact
   * keeps it whole, whatever happens to the file. Throws BootServerError ARTIFACT_*.
   */
  get(uri: string): Promise<Artifact>;
  /** Bytes held in memory. */
  readonly heldBytes: number;
}

export interface ArtifactStoreComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: LocalFiles;
  readonly fetchRemote: RemoteFetch;
  /** For all artifacts together. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** How long a fetched copy counts as fresh: a rack that boots together asks the upstream once. */
const REVALIDATE_MS = 60_000;

interface Held {
  readonly artifact: Artifact;
  /** The file's stamp, or the upstream's ETag. */
  readonly version: string | undefined;
  readonly checkedAt: number;
}

/** Kernels and initrds in memory: read once, hashed once, sent to many from the same buffer. */
export function createArtifactStore(components: ArtifactStoreComponents): ArtifactStore {
  const { clock, log, files, fetchRemote, maxBytes, signal } = components;
  // In order of use: the first is the one to give up when space is short.
  const held = new Map<string, Held>();
  const loading = new Map<string, Promise<Artifact>>();
  let heldBytes = 0;

  const drop = (uri: string): void => {
    heldBytes -= held.get(uri)?.artifact.bytes.byteLength ?? 0;
    held.delete(uri);
  };
  const hold = (uri: string, bytes: Uint8Array, version: string | undefined): Artifact => {
    if (bytes.byteLength > maxBytes) throw tooLarge(uri, bytes.byteLength, maxBytes);
    const artifact = makeArtifact(uri, bytes);
    drop(uri);
    for (const oldest of held.keys()) {
      if (heldBytes + bytes.byteLength <= maxBytes) break;
      drop(oldest);
    }
    held.set(uri, { artifact, version, checkedAt: clock.monotonic() });
    heldBytes += bytes.byteLength;
    log.info({ event: 'artifact.loaded', uri, bytes: bytes.byteLength, sha256: artifact.sha256 }, `loaded ${uri}`);
    return artifact;
  };
  const fromDisk = async (uri: string): Promise<Artifact> => {
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
    const known = held.get(uri);
    if (known !== undefined && (await files.version(path)).stamp === known.version) return known.artifact;
    const { bytes, version } = await files.read(path, maxBytes);
    return hold(uri, bytes, version.stamp);
  };
  const fromUpstream = async (uri: string): Promise<Artifact> => {
    const known = held.get(uri);
    if (known !== undefined && clock.monotonic() - known.checkedAt < REVALIDATE_MS) return known.artifact;
    try {
      const result = await fetchRemote(uri, { etag: known?.version, maxBytes, signal });
      if (result.kind === 'body') return hold(uri, result.bytes, result.etag);
      if (known === undefined)
        throw new BootServerError(BootServerErrorCode.ArtifactUnavailable, `${uri} answers 304 to the first question`);
    } catch (error) {
      if (known === undefined) throw error;
      log.warn(
        { event: 'artifact.stale', uri, err: error },
        `serving the copy of ${uri} at hand: its server does not answer`,
      );
    }
    held.set(uri, { ...known, checkedAt: clock.monotonic() });
    return known.artifact;
  };
  const load = (uri: string): Promise<Artifact> => {
    switch (uri.slice(0, uri.indexOf(':') + 1).toLowerCase()) {
      case 'file:':
        return fromDisk(uri);
      case 'http:':
      case 'https:':
        return fromUpstream(uri);
      default:
        return Promise.reject(
          new BootServerError(
            BootServerErrorCode.ArtifactRefused,
            `${uri} is neither a file:, an http: nor an https: URI`,
          ),
        );
    }
  };
  return {
    get: (uri) => {
      const running = loading.get(uri);
      if (running !== undefined) return running;
      const known = held.get(uri);
      if (known !== undefined) {
        held.delete(uri);
        held.set(uri, known);
      }
      const started = load(uri).finally(() => loading.delete(uri));
      loading.set(uri, started);
      return started;
    },
    get heldBytes() {
      return heldBytes;
    },
  };
}
