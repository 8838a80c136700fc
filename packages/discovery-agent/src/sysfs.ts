import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * The pseudo file systems of a machine below some root, so that an inventory can be taken of a directory of fixtures
 * as of the machine itself. What is not there, or answers a read with an error (as a NIC's `speed` does while the link
 * is down), is `undefined` or empty: absence is the normal case here.
 *
 * Paths are absolute as on the machine: `/sys/block`.
 */
export interface Sysfs {
  readonly root: string;
  /** File contents, NUL and white space trimmed; `undefined` when unreadable or empty. */
  text(path: string): string | undefined;
  /** A file that holds one integer, decimal or with 0x prefix. */
  integer(path: string): number | undefined;
  bytes(path: string): Uint8Array | undefined;
  /** Names in a directory, in natural order: `eth2` before `eth10`. */
  list(path: string): string[];
  exists(path: string): boolean;
  /** Last component of a symbolic link's target: the driver's name for `…/device/driver`. */
  linkName(path: string): string | undefined;
  /** Absolute path, links resolved, as on the machine. */
  real(path: string): string | undefined;
}

/** @param root `/` for this machine */
export function openSysfs(root: string): Sysfs {
  const at = (path: string): string => join(root, path);
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  const text = (path: string): string | undefined => {
    const content = attempt(() => readFileSync(at(path), 'utf8'))
      ?.replaceAll('\0', '')
      .trim();
    return content === '' ? undefined : content;
  };
  return {
    root,
    text,
    integer(path) {
      const content = text(path);
      return content !== undefined && /^-?\d+$|^0x[0-9a-f]+$/i.test(content) ? Number(content) : undefined;
    },
    bytes: (path) => attempt(() => new Uint8Array(readFileSync(at(path)))),
    list: (path) => (attempt(() => readdirSync(at(path))) ?? []).sort(naturalOrder),
    exists: (path) => existsSync(at(path)),
    linkName(path) {
      const target = attempt(() => readlinkSync(at(path)));
      return target === undefined ? undefined : basename(target);
    },
    real(path) {
      const base = attempt(() => realpathSync(root)) ?? root;
      const resolved = attempt(() => realpathSync(at(path)));
      if (resolved === undefined) return undefined;
      return base === '/' ? resolved : resolved.slice(base.length);
    },
  };
}

/** Compares digit runs as numbers. Independent of the locale, so that every machine sorts alike. */
function naturalOrder(a: string, b: string): number {
  const left = pieces(a);
  const right = pieces(b);
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const x = left[index] ?? '';
    const y = right[index] ?? '';
    if (x === y) continue;
    if (typeof x === 'number' && typeof y === 'number') return x - y;
    return String(x) < String(y) ? -1 : 1;
  }
  return left.length - right.length;
}

function pieces(name: string): (string | number)[] {
  return name.split(/(\d+)/).map((piece, index) => (index % 2 === 1 ? Number(piece) : piece));
}
