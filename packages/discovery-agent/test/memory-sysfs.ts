import { basename, dirname, join } from 'node:path/posix';
import type { Sysfs } from '../src/sysfs.ts';
import type { Tree } from './tree.ts';

/** A tree without a file system below it: for tests that take thousands of inventories. */
export function memorySysfs(tree: Tree): Sysfs {
  const links = new Map<string, string>();
  const contents = new Map<string, Uint8Array>();
  const names = new Map<string, Set<string>>();
  for (const [path, content] of Object.entries(tree)) {
    if (typeof content === 'string' || content instanceof Uint8Array) contents.set(path, Buffer.from(content));
    else links.set(path, join(dirname(path), content.link));
    for (let at = path; at !== '/'; at = dirname(at)) {
      const siblings = names.get(dirname(at)) ?? new Set();
      names.set(dirname(at), siblings.add(basename(at)));
    }
  }
  const resolve = (path: string, depth = 0): string => {
    const parts = path.split('/').slice(1);
    for (let length = 1; length <= parts.length; length++) {
      const at = `/${parts.slice(0, length).join('/')}`;
      const target = links.get(at);
      if (target !== undefined && depth < 40) return resolve(join(target, ...parts.slice(length)), depth + 1);
    }
    return path;
  };
  const exists = (path: string): boolean => contents.has(resolve(path)) || names.has(resolve(path));
  const bytes = (path: string): Uint8Array | undefined => contents.get(resolve(path));
  const text = (path: string): string | undefined =>
    Buffer.from(bytes(path) ?? [])
      .toString('utf8')
      .replaceAll('\0', '')
      .trim() || undefined;
  return {
    root: '/',
    text,
    bytes,
    exists,
    integer(path) {
      const content = text(path) ?? '';
      const value = /^-?\d+$|^0x[0-9a-f]+$/i.test(content) ? Number(content) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    },
    list: (path) => [...(names.get(resolve(path)) ?? [])].sort(),
    linkName(path) {
      const target = links.get(join(resolve(dirname(path)), basename(path)));
      return target === undefined ? undefined : basename(target);
    },
    real: (path) => (exists(path) ? resolve(path) : undefined),
    denied: () => [],
  };
}
