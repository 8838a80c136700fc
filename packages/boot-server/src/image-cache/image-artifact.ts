import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { SharedContent, type Artifact } from '../artifacts/artifact.ts';
import type { CachedImage } from './cache-directory.ts';

/**
 * An image as the HTTP server sends artifacts, straight from the disk: it may be larger than the memory. The file is
 * never written again once it has its name, and stays readable through its descriptor when it is removed.
 */
export function imageArtifact({ image, file }: { image: CachedImage; file: FileHandle }): Artifact {
  const { url, sizeBytes } = image;
  const shared = new SharedContent(
    url,
    {
      sizeBytes,
      sha256: image.digests.sha256,
      fd: file.fd,
      read: (position, length) => {
        const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - position)));
        return bytes.subarray(0, readSync(file.fd, bytes, 0, bytes.byteLength, position));
      },
      close: () => {
        file.close().catch(() => undefined);
      },
    },
    () => undefined,
  );
  const artifact = shared.hold();
  shared.release();
  return artifact;
}
