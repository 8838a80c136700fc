/** Firmware files for the image's drivers, out of a folder that whoever builds it brings along. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CpioEntry } from './cpio.ts';

export interface Firmware {
  readonly entries: readonly CpioEntry[];
  /** Paths below /lib/firmware, sorted. */
  readonly present: readonly string[];
  /** `<path> (<module>)`: what a driver may ask for in vain. */
  readonly absent: readonly string[];
}

/**
 * @param folder like /lib/firmware; undefined for none
 * @param wanted by module, what its `firmware` entries name
 * @throws Error when the folder is not one
 */
export function firmwareEntries(folder: string | undefined, wanted: ReadonlyMap<string, readonly string[]>): Firmware {
  if (folder !== undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`--firmware ${folder}: expected a folder like /lib/firmware`);
  const present = new Map<string, Buffer>();
  const absent: string[] = [];
  for (const [module, paths] of wanted) {
    for (const path of paths) {
      const file = folder === undefined ? undefined : join(folder, path);
      if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() === true)
        present.set(path, readFileSync(file));
      else absent.push(`${path} (${module})`);
    }
  }
  const names = [...present.keys()].sort();
  return {
    entries: names.map((path) => ({
      kind: 'file',
      path: `usr/lib/firmware/${path}`,
      data: present.get(path) ?? Buffer.alloc(0),
    })),
    present: names,
    absent: absent.sort(),
  };
}
