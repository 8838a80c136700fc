import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { Content, ContentWriter } from './content.ts';

/** What tells one version of a file from the next. */
export interface FileVersion {
  readonly path: string;
  readonly sizeBytes: number;
  readonly stamp: string;
  /** The same for versions that were written into one file, another for one that took its name. */
  readonly file: string;
  /** When it was last written, milliseconds since the epoch. */
  readonly writtenAt: number;
}

export interface LocalFiles {
  /** The version of `path` on disk now. Throws BootServerError ARTIFACT_REFUSED or ARTIFACT_UNAVAILABLE. */
  version(path: string): Promise<FileVersion>;
  /** Reads a file whole, all of it of one version, into what `openWriter` makes for its size. */
  read(
    path: string,
    openWriter: (sizeBytes: number) => ContentWriter,
  ): Promise<{ readonly content: Content; readonly version: FileVersion }>;
}

const READ_TRIES = 3;
const CHUNK_BYTES = 1_048_576;
/** All others are of disks and file servers. */
const LASTING = new Set<unknown>(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']);

/**
 * Files under `roots` only, wherever `..` and symbolic links lead. A function is asked at each use: a reload changes
 * them.
 */
export function localFiles(roots: readonly string[] | (() => readonly string[])): LocalFiles {
  const confined = async (path: string): Promise<string> => {
    const real = await realpath(path).catch((cause: unknown) => {
      throw unavailable(path, cause);
    });
    const allowed = typeof roots === 'function' ? roots() : roots;
    for (const root of allowed) {
      const realRoot = await realpath(root).catch(() => undefined);
      if (realRoot !== undefined && isInside(realRoot, real)) return real;
    }
    throw new BootServerError(
      BootServerErrorCode.ArtifactRefused,
      `${path} is outside of the folders that may be served (${allowed.join(', ') || 'none'}): move it there, or add its folder to artifacts.roots`,
    );
  };
  const withFile = async <T>(path: string, use: (file: FileHandle, real: string) => Promise<T>): Promise<T> => {
    const real = await confined(path);
    let file: FileHandle;
    try {
      // To open a FIFO waits for its writer, for good, in one of the four threads that all files of the process share.
      file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw unavailable(path, cause);
    }
    try {
      return await use(file, real);
    } finally {
      await file.close();
    }
  };
  return {
    version: (path) => withFile(path, statVersion),
    read: async (path, openWriter) => {
      // A file that is being replaced in place shows as two versions around the read: read again.
      for (let attempt = 0; attempt < READ_TRIES; attempt += 1) {
        const result = await withFile(path, (file, real) => readOneVersion(file, real, openWriter));
        if (result !== undefined) return result;
      }
      throw new BootServerError(
        BootServerErrorCode.ArtifactUnavailable,
        `${path} is being written: write a new file beside it and rename it`,
      );
    },
  };
}

async function readOneVersion(
  file: FileHandle,
  path: string,
  openWriter: (sizeBytes: number) => ContentWriter,
): Promise<{ content: Content; version: FileVersion } | undefined> {
  const version = await statVersion(file, path);
  const writer = openWriter(version.sizeBytes);
  try {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, version.sizeBytes));
    while (writer.sizeBytes < version.sizeBytes) {
      const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, writer.sizeBytes);
      if (bytesRead === 0) break;
      writer.write(chunk.subarray(0, Math.min(bytesRead, version.sizeBytes - writer.sizeBytes)));
    }
    const after = await statVersion(file, path);
    if (after.stamp === version.stamp && writer.sizeBytes === version.sizeBytes)
      return { content: writer.finish(), version };
  } catch (cause) {
    writer.discard();
    throw cause instanceof BootServerError ? cause : unavailable(path, cause);
  }
  writer.discard();
  return undefined;
}

async function statVersion(file: FileHandle, path: string): Promise<FileVersion> {
  const stat = await file.stat({ bigint: true });
  if (!stat.isFile()) throw new BootServerError(BootServerErrorCode.ArtifactRefused, `${path} is no regular file`);
  return {
    path,
    sizeBytes: Number(stat.size),
    stamp: `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`,
    file: `${stat.dev}:${stat.ino}`,
    writtenAt: Number(stat.mtimeMs),
  };
}

/** Whether the file may be read again later: nobody took it away, or closed it to us. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof BootServerError) || error.code !== BootServerErrorCode.ArtifactUnavailable) return false;
  const { cause } = error;
  return !(cause instanceof Error && 'code' in cause && LASTING.has(cause.code));
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function unavailable(path: string, cause: unknown): BootServerError {
  const words = wordsOf(cause);
  return new BootServerError(BootServerErrorCode.ArtifactUnavailable, `cannot read ${path}: ${words}`, cause);
}
