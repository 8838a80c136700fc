import type { LockedPackage } from './debian.ts';
import type { ComponentSize } from './image.ts';
export interface BuildOptions {
  /** Receives `vmlinuz`, `initrd` and `manifest.json`. Default: `<cache>/out`. */
  readonly out?: string;
  /** Downloaded packages and the built base layer. Default: `.cache/image` in the repository. */
  readonly cache?: string;
  /** Fail, instead of building from newer packages, when the archive lacks a pinned version. */
  readonly locked?: boolean;
  /** Build the base layer even if it is in the cache. */
  readonly fresh?: boolean;
  /** Told what happens, a line at a time. */
  readonly say?: (line: string) => void;
}
/** Written as `manifest.json`; the other two files lie beside it. */
export interface Manifest {
  readonly kernelVersion: string;
  readonly node: string;
  readonly vmlinuz: FileDigest;
  readonly initrd: FileDigest;
  readonly components: readonly ComponentSize[];
  readonly packages: readonly LockedPackage[];
}
export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}
/** Builds what is not in the cache. Equal inputs give equal bytes. */
export declare function buildImage(options?: BuildOptions): Promise<Manifest>;
/** The components as lines of text: files, MiB raw, MiB compressed alone. */
export declare function sizeTable(manifest: Manifest): string[];
