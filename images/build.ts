/**
 * Builds the discovery image: kernel, initrd, manifest, bill of materials.
 *
 *     node images/build.ts [--arch amd64|arm64] [--out DIR] [--cache DIR] [--firmware DIR] [--locked] [--update-lock]
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { buildAgent } from './agent-layer.ts';
import { facts, hostArchitecture, parseArchitecture } from './architecture.ts';
import type { Architecture } from './architecture.ts';
import { baseKey, buildBase, kernelOf } from './base-layer.ts';
import type { BaseInputs, BaseLayer } from './base-layer.ts';
import { PackageGoneError, readLock, resolveCurrent, sha256, writeLock } from './debian.ts';
import type { LockedPackage } from './debian.ts';
import { writeAtomically } from './layer.ts';
import type { ComponentSize } from './layer.ts';
import { buildSbom } from './sbom.ts';

export interface BuildOptions {
  /** Default: the one of this host. */
  readonly architecture?: Architecture;
  /**
   * Receives `vmlinuz`, `initrd`, `manifest.json` and `sbom.spdx.json`. Default: `<cache>/out`, or `<cache>/out-<arch>` for
   * another architecture than this host's.
   */
  readonly out?: string;
  /** Downloaded packages and the built base layer. Default: `.cache/image` in the repository. */
  readonly cache?: string;
  /** A folder like /lib/firmware; the files that the drivers ask for are taken in. Default: none. */
  readonly firmware?: string;
  /** Fail, instead of building from newer packages, when the archive lacks a pinned version. */
  readonly locked?: boolean;
  /** Build the base layer even if it is in the cache. */
  readonly fresh?: boolean;
  /** Told what happens, a line at a time. */
  readonly say?: (line: string) => void;
}

/** Written as `manifest.json`; the other files lie beside it. */
export interface Manifest {
  readonly architecture: Architecture;
  readonly kernelVersion: string;
  readonly node: string;
  readonly vmlinuz: FileDigest;
  readonly initrd: FileDigest;
  readonly sbom: FileDigest;
  /** Firmware files that the drivers may ask for: those in the initrd, and those that are not, with the driver. */
  readonly firmware: BaseLayer['firmware'];
  readonly components: readonly ComponentSize[];
  readonly packages: readonly LockedPackage[];
}

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

const defaultCache = resolve(import.meta.dirname, '../.cache/image');

/** Builds what is not in the cache. Equal inputs give equal bytes. */
export async function buildImage(options: BuildOptions = {}): Promise<Manifest> {
  const architecture = options.architecture ?? hostArchitecture;
  const cache = resolve(options.cache ?? defaultCache);
  const out = resolve(options.out ?? join(cache, architecture === hostArchitecture ? 'out' : `out-${architecture}`));
  const say = options.say ?? (() => undefined);
  const firmware = options.firmware === undefined ? undefined : resolve(options.firmware);
  const { base, inputs } = baseLayer({ cache, architecture, firmware }, options, say);
  const agent = await buildAgent(cache, architecture);
  const kernel = kernelOf(inputs);
  const initrd = Buffer.concat([base.data, agent.data]);
  const vmlinuz = digestOf(kernel.vmlinuz);
  const sbom = `${JSON.stringify(
    buildSbom({
      architecture,
      initrdSha256: sha256(initrd),
      vmlinuzSha256: vmlinuz.sha256,
      kernelVersion: kernel.version,
      node: { npmName: facts[architecture].node.name, version: process.versions.node },
      debian: base.packages,
      npm: agent.packages,
      firmware: base.firmware.present,
      createdAt: Number(process.env['SOURCE_DATE_EPOCH'] ?? 0),
    }),
    null,
    2,
  )}\n`;
  const manifest: Manifest = {
    architecture,
    kernelVersion: kernel.version,
    node: process.versions.node,
    vmlinuz,
    initrd: digestOf(initrd),
    sbom: digestOf(Buffer.from(sbom)),
    firmware: base.firmware,
    components: [...base.sizes, ...agent.sizes],
    packages: inputs.lock,
  };
  writeAtomically(join(out, 'vmlinuz'), kernel.vmlinuz);
  writeAtomically(join(out, 'initrd'), initrd);
  writeAtomically(join(out, 'sbom.spdx.json'), sbom);
  writeAtomically(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  say(`image: ${relative(process.cwd(), out)} (initrd ${mebibytes(initrd.length)} MiB, kernel ${kernel.version})`);
  return manifest;
}

const digestOf = (file: Buffer): FileDigest => ({ bytes: file.length, sha256: sha256(file) });

const lockFile = (architecture: Architecture): string => join(import.meta.dirname, facts[architecture].lock);

function baseLayer(
  target: Omit<BaseInputs, 'lock'>,
  options: BuildOptions,
  say: (line: string) => void,
): { readonly base: BaseLayer; readonly inputs: BaseInputs } {
  const { cache, architecture } = target;
  const pinnedLock = lockFile(architecture);
  const pinned = { ...target, lock: readLock(pinnedLock) };
  // A lock of this host's own, made when the archive had dropped a pinned version. Bound to the lock it stands in for.
  const localLock = join(cache, `packages.${sha256(readFileSync(pinnedLock)).slice(0, 12)}.lock.json`);
  const useLocal = options.locked !== true && existsSync(localLock);
  const inputs = useLocal ? { ...target, lock: readLock(localLock) } : pinned;
  if (useLocal) say(`image: packages as in ${localLock}, not as pinned; remove it to try the pinned ones again`);
  try {
    return { base: cachedBase(inputs, options, say), inputs };
  } catch (error) {
    if (!(error instanceof PackageGoneError) || options.locked === true) throw error;
    say(`image: ${error.message}. Building from the current packages instead (--locked forbids that).`);
    const current = { ...target, lock: resolveCurrent(cache, architecture) };
    const base = cachedBase(current, options, say);
    writeLock(localLock, current.lock);
    return { base, inputs: current };
  }
}

function cachedBase(inputs: BaseInputs, options: BuildOptions, say: (line: string) => void): BaseLayer {
  const { cache, architecture } = inputs;
  const stem = join(cache, `base-${architecture}-${baseKey(inputs)}`);
  if (options.fresh !== true && existsSync(`${stem}.json`) && existsSync(`${stem}.cpio.zst`)) {
    const known: Omit<BaseLayer, 'data'> = JSON.parse(readFileSync(`${stem}.json`, 'utf8'));
    return { ...known, data: readFileSync(`${stem}.cpio.zst`) };
  }
  say('image: building the base layer from Debian packages (about a minute, once)');
  const started = performance.now();
  const { data, ...known } = buildBase(inputs);
  writeAtomically(`${stem}.cpio.zst`, data);
  writeAtomically(`${stem}.json`, JSON.stringify(known));
  for (const name of readdirSync(cache)) {
    // One stood for other inputs than today's; each takes some 40 MB.
    const [, builtFor = hostArchitecture] = /^base-(?:([a-z0-9]+)-)?[0-9a-f]{16}\.(?:cpio\.zst|json)$/.exec(name) ?? [
      '',
      '',
    ];
    if (builtFor === architecture && !join(cache, name).startsWith(`${stem}.`)) rmSync(join(cache, name));
  }
  say(`image: base layer ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { data, ...known };
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
      arch: { type: 'string', default: hostArchitecture },
      out: { type: 'string' },
      firmware: { type: 'string' },
      cache: { type: 'string' },
      locked: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      'update-lock': { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => console.error(line);
  const architecture = parseArchitecture(values.arch);
  const { out, cache, firmware, locked, fresh } = values;
  if (values['update-lock']) {
    const file = lockFile(architecture);
    writeLock(file, resolveCurrent(resolve(cache ?? defaultCache), architecture));
    say(`image: wrote ${file}`);
  }
  const places = { ...(out && { out }), ...(cache && { cache }), ...(firmware && { firmware }) };
  const manifest = await buildImage({ architecture, ...places, locked, fresh, say });
  for (const line of sizeTable(manifest)) console.log(line);
}
