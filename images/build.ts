/**
 * Builds the discovery image: kernel, initrd, manifest.
 *
 *     node images/build.ts [--out DIR] [--cache DIR] [--locked] [--update-lock]
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { PackageGoneError, readLock, resolveCurrent, sha256, writeLock } from './debian.ts';
import type { LockedPackage } from './debian.ts';
import { baseKey, buildAgent, buildBase, kernelOf, writeAtomically } from './image.ts';
import type { ComponentSize, Layer } from './image.ts';

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

const pinnedLock = join(import.meta.dirname, 'packages.lock.json');
const defaultCache = resolve(import.meta.dirname, '../.cache/image');

/** Builds what is not in the cache. Equal inputs give equal bytes. */
export async function buildImage(options: BuildOptions = {}): Promise<Manifest> {
  const cache = resolve(options.cache ?? defaultCache);
  const out = resolve(options.out ?? join(cache, 'out'));
  const say = options.say ?? (() => undefined);
  const { base, lock } = baseLayer(cache, options, say);
  const agent = await buildAgent();
  const kernel = kernelOf(cache, lock);
  const initrd = Buffer.concat([base.data, agent.data]);
  const manifest: Manifest = {
    kernelVersion: kernel.version,
    node: process.versions.node,
    vmlinuz: { bytes: kernel.vmlinuz.length, sha256: sha256(kernel.vmlinuz) },
    initrd: { bytes: initrd.length, sha256: sha256(initrd) },
    components: [...base.sizes, ...agent.sizes],
    packages: lock,
  };
  writeAtomically(join(out, 'vmlinuz'), kernel.vmlinuz);
  writeAtomically(join(out, 'initrd'), initrd);
  writeAtomically(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  say(`image: ${relative(process.cwd(), out)} (initrd ${mebibytes(initrd.length)} MiB, kernel ${kernel.version})`);
  return manifest;
}

function baseLayer(
  cache: string,
  options: BuildOptions,
  say: (line: string) => void,
): { base: Layer; lock: LockedPackage[] } {
  const pinned = readLock(pinnedLock);
  // A lock of this host's own, made when the archive had dropped a pinned version. Bound to the lock it stands in for.
  const localLock = join(cache, `packages.${sha256(readFileSync(pinnedLock)).slice(0, 12)}.lock.json`);
  const useLocal = options.locked !== true && existsSync(localLock);
  const lock = useLocal ? readLock(localLock) : pinned;
  if (useLocal) say(`image: packages as in ${localLock}, not as pinned; remove it to try the pinned ones again`);
  try {
    return { base: cachedBase(cache, lock, options, say), lock };
  } catch (error) {
    if (!(error instanceof PackageGoneError) || options.locked === true) throw error;
    say(`image: ${error.message}. Building from this host's current packages instead (--locked forbids that).`);
    const current = resolveCurrent();
    const base = cachedBase(cache, current, options, say);
    writeLock(localLock, current);
    return { base, lock: current };
  }
}

function cachedBase(
  cache: string,
  lock: readonly LockedPackage[],
  options: BuildOptions,
  say: (line: string) => void,
): Layer {
  const stem = join(cache, `base-${baseKey(lock)}`);
  if (options.fresh !== true && existsSync(`${stem}.json`) && existsSync(`${stem}.cpio.zst`)) {
    const sizes: ComponentSize[] = JSON.parse(readFileSync(`${stem}.json`, 'utf8'));
    return { data: readFileSync(`${stem}.cpio.zst`), sizes };
  }
  say('image: building the base layer from Debian packages (about a minute, once)');
  const started = performance.now();
  const base = buildBase(cache, lock);
  writeAtomically(`${stem}.cpio.zst`, base.data);
  writeAtomically(`${stem}.json`, JSON.stringify(base.sizes));
  for (const name of readdirSync(cache)) {
    // One stood for other inputs than today's; each takes some 50 MB.
    if (/^base-[0-9a-f]+\.(cpio\.zst|json)$/.test(name) && !join(cache, name).startsWith(`${stem}.`))
      rmSync(join(cache, name));
  }
  say(`image: base layer ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return base;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);

/** The components as lines of text: files, MiB raw, MiB compressed alone. */
export function sizeTable(manifest: Manifest): string[] {
  const line = (name: string, files: string, raw: string, compressed: string): string =>
    `${name.padEnd(30)} ${files.padStart(6)} ${raw.padStart(9)} ${compressed.padStart(11)}`;
  const total = (key: 'files' | 'rawBytes'): number => manifest.components.reduce((sum, entry) => sum + entry[key], 0);
  return [
    line('component', 'files', 'raw MiB', 'zstd -3 MiB'),
    ...manifest.components.map((entry) =>
      line(entry.component, String(entry.files), mebibytes(entry.rawBytes), mebibytes(entry.compressedBytes)),
    ),
    line('initrd as built', String(total('files')), mebibytes(total('rawBytes')), mebibytes(manifest.initrd.bytes)),
    line(`vmlinuz ${manifest.kernelVersion}`, '1', '', mebibytes(manifest.vmlinuz.bytes)),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      cache: { type: 'string' },
      locked: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      'update-lock': { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => console.error(line);
  if (values['update-lock']) {
    writeLock(pinnedLock, resolveCurrent());
    say(`image: wrote ${pinnedLock}`);
  }
  const { out, cache, locked, fresh } = values;
  const manifest = await buildImage({ ...(out && { out }), ...(cache && { cache }), locked, fresh, say });
  for (const line of sizeTable(manifest)) console.log(line);
}
