import { createHash } from 'node:crypto';

/** A file, whole and in memory. It never changes: a newer version is another artifact. */
export interface Artifact {
  readonly uri: string;
  readonly bytes: Uint8Array;
  /** 64 hex digits, computed when it was loaded. */
  readonly sha256: string;
}

export function makeArtifact(uri: string, bytes: Uint8Array): Artifact {
  return { uri, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
