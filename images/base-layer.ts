/** The layer that rarely changes: Node, drivers, programs and their libraries. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { facts } from './architecture.ts';
import type { Architecture } from './architecture.ts';
import {
  applets,
  directories,
  dlopenedLibraries,
  etcFiles,
  libraryPackages,
  modulesFor,
  programs,
  symlinks,
} from './contents.ts';
import type { CpioEntry } from './cpio.ts';
import { fetchPackages, packageDirectory, sha256 } from './debian.ts';
import type { LockedPackage } from './debian.ts';
import { isElf } from './elf.ts';
import { firmwareEntries } from './firmware.ts';
import { withEnglishOnly } from './icu.ts';
import { layer, withParents } from './layer.ts';
import type { Component, Layer } from './layer.ts';
import { Libraries } from './libraries.ts';
import { readLicenses } from './licenses.ts';
import type { DeclaredLicense } from './licenses.ts';
import { pickModules } from './modules.ts';
import { nodeBinary } from './node-binary.ts';

const here = import.meta.dirname;

/** What decides the bytes of a base layer, apart from the sources of this folder. */
export interface BaseInputs {
  readonly cache: string;
  readonly architecture: Architecture;
  readonly lock: readonly LockedPackage[];
  /** A folder like /lib/firmware, whose files the drivers may have. */
  readonly firmware: string | undefined;
}

export interface BaseLayer extends Layer {
  /** Packages that have files in the image, the kernel's among them. */
  readonly packages: readonly PackedPackage[];
  /** Firmware files that the image's drivers name and that it lacks, and those that it has. */
  readonly firmware: { readonly present: readonly string[]; readonly absent: readonly string[] };
}

export interface PackedPackage extends LockedPackage {
  /** Absent where the package's copyright file does not tell machine-readably. */
  readonly license?: DeclaredLicense;
}

export interface Kernel {
  readonly version: string;
  readonly vmlinuz: Buffer;
}

export function kernelOf({ cache, lock, architecture }: BaseInputs): Kernel & { readonly root: string } {
  const locked = lock.find((entry) => /^linux-image-\d/.test(entry.name));
  if (locked === undefined) throw new Error('the lock names no kernel; run `node images/build.ts --update-lock`');
  fetchPackages(cache, [locked], architecture);
  const root = packageDirectory(cache, locked);
  const version = locked.name.replace('linux-image-', '');
  return { root, version, vmlinuz: readFileSync(join(root, 'boot', `vmlinuz-${version}`)) };
}

/** Everything that changes the base layer, as one digest. */
export function baseKey({ cache, architecture, lock, firmware }: BaseInputs): string {
  const sources = readdirSync(here)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => sha256(readFileSync(join(here, name))));
  const node = sha256(readFileSync(nodeBinary(cache, architecture)));
  const files =
    firmware === undefined
      ? []
      : readdirSync(firmware, { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
          .map((path) => `${path} ${sha256(readFileSync(path))}`);
  return sha256(JSON.stringify([sources, node, architecture, lock, files])).slice(0, 16);
}

export function buildBase(inputs: BaseInputs): BaseLayer {
  const { cache, architecture, lock } = inputs;
  fetchPackages(cache, lock, architecture);
  const lockedOf = (name: string): LockedPackage => {
    const locked = lock.find((entry) => entry.name === name);
    if (locked === undefined) throw new Error(`the lock lacks ${name}; run \`node images/build.ts --update-lock\``);
    return locked;
  };
  const rootOf = (name: string): string => packageDirectory(cache, lockedOf(name));
  const lenders = [...libraryPackages, ...programs.map((program) => program.name)];
  const libraries = new Libraries(lenders.map(rootOf), facts[architecture]);
  const node = libraries.link(withEnglishOnly(readFileSync(nodeBinary(cache, architecture))));
  const nodeComponent: Component = {
    name: `node ${process.versions.node}`,
    entries: [{ kind: 'file', path: 'usr/bin/node', mode: 0o755, data: node }],
  };
  const programComponents = programs.map(({ name, files, unusedLibraries = {} }): Component => ({
    name,
    entries: files.map((path) => {
      const file = readFileSync(join(rootOf(name), path));
      const program = isElf(file);
      const data = program ? libraries.link(file, unusedLibraries[path]) : file;
      return { kind: 'file', path: mergedUsr(path), data, mode: program ? 0o755 : 0o644 };
    }),
  }));
  for (const name of dlopenedLibraries) libraries.add(name);
  const kernel = kernelOf(inputs);
  const drivers = pickModules(kernel.root, kernel.version, modulesFor(architecture, inputs.firmware !== undefined));
  const firmware = firmwareEntries(inputs.firmware, drivers.firmware);
  const components: Component[] = [
    nodeComponent,
    { name: `modules ${kernel.version}`, entries: drivers.entries },
    ...(firmware.entries.length === 0 ? [] : [{ name: 'firmware', entries: firmware.entries }]),
    { name: 'shared libraries', entries: libraries.entries() },
    ...programComponents,
    { name: 'directories, links, /etc', entries: skeleton() },
  ];
  const used = new Set([...libraries.roots(), kernel.root, ...programs.map(({ name }) => rootOf(name))]);
  return {
    ...layer(withParents(components), 12),
    packages: lock
      .filter((locked) => used.has(packageDirectory(cache, locked)))
      .map((locked) => {
        const license = readLicenses(packageDirectory(cache, locked), locked.name);
        return { ...locked, ...(license && { license }) };
      }),
    firmware: { present: firmware.present, absent: firmware.absent },
  };
}

function skeleton(): CpioEntry[] {
  return [
    ...directories.map((path): CpioEntry => ({ kind: 'directory', path })),
    ...Object.entries(symlinks).map(([path, target]): CpioEntry => ({ kind: 'symlink', path, target })),
    ...applets.map((name): CpioEntry => ({ kind: 'symlink', path: `usr/bin/${name}`, target: 'busybox' })),
    ...Object.entries(etcFiles).map(([path, text]): CpioEntry => ({ kind: 'file', path, data: Buffer.from(text) })),
  ];
}

/** Debian 12 still spells some paths without /usr; the image is merged-/usr only. */
function mergedUsr(path: string): string {
  return path.startsWith('usr/') ? path : `usr/${path}`;
}
