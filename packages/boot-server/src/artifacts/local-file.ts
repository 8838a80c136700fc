import { open, realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** What tells one version of a file from the next. */
export interface FileVersion {
  readonly path: string;
  readonly sizeBytes: number;
  readonly stamp: string;
}

export interface LocalFiles {
  /** The version of `path` on disk now. Throws BootServerError ARTIFACT_REFUSED or ARTIFACT_UNAVAILABLE. */
  version(path: string): Promise<FileVersion>;
  /** Reads a file whole, all of it of one version. Also throws ARTIFACT_TOO_LARGE. */
  read(path: string, maxBytes: number): Promise<{ readonly bytes: Uint8Array; readonly version: FileVersion }>;
}

const READ_TRIES = 3;

/** Files under `roots` only, wherever `..` and symbolic links lead. */
export function localFiles(roots: readonly string[]): LocalFiles {
  const confined = async (path: string): Promise<string> => {
    const real = await realpath(path).catch((cause: unknown) => {
      throw unavailable(path, cause);
    });
    for (const root of roots) {
      const realRoot = await realpath(root).catch(() => undefined);
      if (realRoot !== undefined && isInside(realRoot, real)) return real;
    }
    throw new BootServerError(
      BootServerErrorCode.ArtifactRefused,
      `${path} is outside of the folders that may be served (${roots.join(', ') || 'none'}): move it there, or add its folder to artifacts.roots`,
    );
  };
  const withFile = async <T>(path: string, use: (file: FileHandle, real: string) => Promise<T>): Promise<T> => {
    const real = await confined(path);
    let file: FileHandle;
    try {
      file = await open(real, 'r');
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
    read: async (path, maxBytes) => {
      // A file that is being replaced in place shows as two versions around the read: read again.
      for (let attempt = 0; attempt < READ_TRIES; attempt += 1) {
        const result = await withFile(path, async (file, real) => {
          const before = await statVersion(file, real);
          if (before.sizeBytes > maxBytes) throw tooLarge(path, before.sizeBytes, maxBytes);
          const bytes = await file.readFile();
          const after = await statVersion(file, real);
          return after.stamp === before.stamp && bytes.byteLength === before.sizeBytes
            ? { bytes, version: before }
            : undefined;
        });
        if (result !== undefined) return result;
      }
      throw new BootServerError(
        BootServerErrorCode.ArtifactUnavailable,
        `${path} is being written: write a new file beside it and rename it`,
      );
    },
  };
}

async function statVersion(file: FileHandle, path: string): Promise<FileVersion> {
  const stat = await file.stat({ bigint: true });
  if (!stat.isFile()) throw new BootServerError(BootServerErrorCode.ArtifactRefused, `${path} is no regular file`);
  return {
    path,
    sizeBytes: Number(stat.size),
    stamp: `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`,
  };
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

export function tooLarge(name: string, sizeBytes: number, maxBytes: number): BootServerError {
  return new BootServerError(
    BootServerErrorCode.ArtifactTooLarge,
    `${name} has ${sizeBytes} bytes, and at most ${maxBytes} may be held in memory: raise artifacts.maxBytes`,
  );
}

function unavailable(path: string, cause: unknown): BootServerError {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new BootServerError(BootServerErrorCode.ArtifactUnavailable, `cannot read ${path}: ${words}`, cause);
}
