/** The shared libraries that the image's programs are linked with, and no others. */
import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchitectureFacts } from './architecture.ts';
import type { CpioEntry } from './cpio.ts';
import { neededLibraries, withoutUnmapped } from './elf.ts';
import { withoutLibraries } from './elf-links.ts';

/** A library as it lies in an unpacked package. */
interface Lent {
  readonly root: string;
  readonly path: string;
}

export class Libraries {
  readonly #roots: readonly string[];
  readonly #facts: ArchitectureFacts;
  readonly #found = new Map<string, Buffer>();
  readonly #lenders = new Set<string>();
  #index: Map<string, Lent> | undefined;

  /** @param roots unpacked packages */
  constructor(roots: readonly string[], facts: ArchitectureFacts) {
    this.#roots = roots;
    this.#facts = facts;
  }

  /**
   * Takes in what a program is linked with, but for `unused`, which the program is made to start without.
   *
   * @returns the program as it goes into the image
   */
  link(program: Buffer, unused: readonly string[] = []): Buffer {
    const dropped = new Map(unused.map((name) => [name, this.#read(name)]));
    const kept = neededLibraries(program).filter((name) => !dropped.has(name));
    const linked =
      unused.length === 0
        ? program
        : withoutLibraries(
            program,
            dropped,
            kept.map((name) => this.#read(name)),
          );
    for (const name of kept) this.add(name);
    return withoutUnmapped(linked);
  }

  /** Takes in a library with what it is linked with itself. */
  add(name: string): void {
    if (this.#found.has(name)) return;
    const library = this.#read(name);
    this.#found.set(name, withoutUnmapped(library));
    this.#lenders.add(this.#lookUp(name).root);
    for (const needed of neededLibraries(library)) this.add(needed);
  }

  entries(): CpioEntry[] {
    const { interpreter } = this.#facts;
    return [...this.#found].map(([name, data]): CpioEntry => {
      // Every program has the path of its interpreter written into it.
      const path = interpreter.endsWith(`/${name}`) ? interpreter : `usr/lib/${name}`;
      return { kind: 'file', path, mode: 0o755, data };
    });
  }

  /** The unpacked packages that a library was taken from. */
  roots(): readonly string[] {
    return [...this.#lenders];
  }

  #read(name: string): Buffer {
    return readFileSync(realpathSync(this.#lookUp(name).path));
  }

  #lookUp(name: string): Lent {
    this.#index ??= this.#buildIndex();
    const lent = this.#index.get(name);
    if (lent === undefined)
      throw new Error(
        `no package of contents.ts has ${name}; add its package there and run \`node images/build.ts --update-lock\``,
      );
    return lent;
  }

  #buildIndex(): Map<string, Lent> {
    const { triplet } = this.#facts;
    const index = new Map<string, Lent>();
    for (const root of this.#roots)
      for (const directory of [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'usr/lib64'])
        for (const name of listing(join(root, directory))) index.set(name, { root, path: join(root, directory, name) });
    return index;
  }
}

function listing(directory: string): string[] {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(directory) : [];
}
