import type { CpioEntry } from './cpio.ts';
import type { LockedPackage } from './debian.ts';
/** A named group of files, for the size table. */
export interface Component {
  readonly name: string;
  readonly entries: readonly CpioEntry[];
}
export interface Layer {
  /** zstd frame holding one cpio archive. */
  readonly data: Buffer;
  readonly sizes: readonly ComponentSize[];
}
export interface ComponentSize {
  readonly component: string;
  readonly files: number;
  readonly rawBytes: number;
  /** Compressed alone; the parts add up to a little more than the layer, which is compressed as one. */
  readonly compressedBytes: number;
}
export interface Kernel {
  readonly version: string;
  readonly vmlinuz: Buffer;
}
/**
 * Deterministic for a given Node version: zstd's multi-threaded mode cuts the input into jobs by size alone, so the
 * result does not depend on the number of workers as long as it is not zero.
 */
export declare function compress(data: Uint8Array, level: number): Buffer;
export declare function kernelOf(
  cache: string,
  lock: readonly LockedPackage[],
): Kernel & {
  readonly root: string;
};
/** Everything that changes the base layer, as one digest. */
export declare function baseKey(lock: readonly LockedPackage[]): string;
export declare function buildBase(cache: string, lock: readonly LockedPackage[]): Layer;
/** The agent's bundle, its code cache, and what starts it. */
export declare function buildAgent(): Promise<Layer>;
/** Written under another name first: a reader sees the old file or the new one, never half of it. */
export declare function writeAtomically(path: string, data: Uint8Array | string): void;
