import { dirname, relative } from 'node:path/posix';
import type { Tree } from '../tree.ts';

/** Files of one directory; texts and numbers end in a new line, as in sysfs. */
export function files(directory: string, contents: Readonly<Record<string, string | number | Uint8Array>>): Tree {
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => [
      `${directory}/${name}`,
      content instanceof Uint8Array ? content : `${content}\n`,
    ]),
  );
}

/** A relative link, as in sysfs. */
export function link(at: string, target: string): Tree {
  return { [at]: { link: relative(dirname(at), target) } };
}

export function merge(...trees: readonly Tree[]): Tree {
  return Object.assign({}, ...trees);
}

/** `0x10de` */
export const hexId = (value: number, digits = 4): string => `0x${value.toString(16).padStart(digits, '0')}`;
