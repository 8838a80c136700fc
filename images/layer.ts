/** A part of the initrd: one compressed archive of several, which the kernel unpacks in turn. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { writeCpio } from './cpio.ts';
import type { CpioEntry } from './cpio.ts';

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

/**
 * Deterministic for a given Node version: zstd's multi-threaded mode cuts the input into jobs by size alone, so the
 * result does not depend on the number of workers as long as it is not zero.
 */
export function compress(data: Uint8Array, level: number): Buffer {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_nbWorkers]: Math.max(1, availableParallelism()),
    [constants.ZSTD_c_checksumFlag]: 0,
  };
  return zstdCompressSync(data, { params });
}

export function layer(components: readonly Component[], level: number): Layer {
  const data = compress(writeCpio(components.flatMap((component) => component.entries)), level);
  const sizes = components.map(({ name, entries }) => {
    const archive = writeCpio(entries);
    return {
      component: name,
      files: entries.length,
      rawBytes: archive.length,
      compressedBytes: compress(archive, 3).length,
    };
  });
  return { data, sizes };
}

/** The components with the directories that their entries need and nobody listed. */
export function withParents(components: readonly Component[]): Component[] {
  const known = new Set(components.flatMap(({ entries }) => entries.map((entry) => entry.path)));
  const missing = new Set<string>();
  for (const path of known)
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent))
      if (!known.has(parent)) missing.add(parent);
  const extra: Component = {
    name: 'parent directories',
    entries: [...missing].map((path) => ({ kind: 'directory', path })),
  };
  return missing.size === 0 ? [...components] : [...components, extra];
}

/** Written under another name first: a reader sees the old file or the new one, never half of it. */
export function writeAtomically(path: string, data: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.part`;
  writeFileSync(partial, data);
  renameSync(partial, path);
}
