import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { basename, join } from 'node:path';

/**
 * The pseudo file systems of a machine below some root, so that an inventory can be taken of a directory of fixtures
 * as of the machine itself. What is not there, or answers a read with an error (as a NIC's `speed` does while the link
 * is down), is `undefined` or empty: absence is the normal case here.
 *
 * Paths are absolute as on the machine: `/sys/block`. Read are regular files only, of 16 MiB at most: a root that
 * someone handed in may hold pipes and devices.
 */
export interface Sysfs {
  readonly root: string;
  /** File contents, NUL and white space trimmed; `undefined` when unreadable or empty. */
  text(path: string): string | undefined;
  /** A file that holds one integer of 53 bits at most, decimal or with 0x prefix. */
  integer(path: string): number | undefined;
  bytes(path: string): Uint8Array | undefined;
  /** Names in a directory, in natural order: `eth2` before `eth10`. */
  list(path: string): string[];
  exists(path: string): boolean;
  /** Last component of a symbolic link's target: the driver's name for `…/device/driver`. */
  linkName(path: string): string | undefined;
  /** Absolute path, links resolved, as on the machine. */
  real(path: string): string | undefined;
  /** Paths that were there but not for this user, since this was opened, sorted. */
  denied(): string[];
}

const maxFileBytes = 16 * 2 ** 20;

/** @param root `/` for this machine */
export function openSysfs(root: string): Sysfs {
  const refused = new Set<string>();
  const at = (path: string): string => join(root, path);
  const attempt = <T>(path: string, read: (full: string) => T): T | undefined => {
    try {
      return read(at(path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM'))
        refused.add(path);
      return undefined;
    }
  };
  const text = (path: string): string | undefined => {
    const content = attempt(path, readRegular)?.toString('utf8').replaceAll('\0', '').trim();
    return content === '' ? undefined : content;
  };
  return {
    root,
    text,
    integer(path) {
      const content = text(path);
      const value = content !== undefined && /^-?\d+$|^0x[0-9a-f]+$/i.test(content) ? Number(content) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    },
    bytes: (path) => attempt(path, readRegular),
    list: (path) => (attempt(path, (full) => readdirSync(full)) ?? []).sort(naturalOrder),
    exists: (path) => existsSync(at(path)),
    linkName(path) {
      const target = attempt(path, (full) => readlinkSync(full));
      return target === undefined ? undefined : basename(target);
    },
    real(path) {
      const base = attempt('/', (full) => realpathSync(full)) ?? root;
      const resolved = attempt(path, (full) => realpathSync(full));
      if (resolved === undefined) return undefined;
      return base === '/' ? resolved : resolved.slice(base.length);
    },
    denied: () => [...refused].sort(),
  };
}

/** Throws for whatever is no regular file, or a larger one. Not waiting at open, for the writer of a pipe say. */
function readRegular(path: string): Buffer | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > maxFileBytes) return undefined;
    // sysfs says 4096 whatever there is, procfs 0: a page, then doubling, until nothing comes.
    let buffer = Buffer.allocUnsafe(Math.max(page, stat.size + 1));
    let length = 0;
    for (;;) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0) return buffer.subarray(0, length);
      if (length < buffer.length) continue;
      if (length >= maxFileBytes) return undefined;
      const larger = Buffer.allocUnsafe(buffer.length * 2);
      buffer.copy(larger);
      buffer = larger;
    }
  } finally {
    closeSync(file);
  }
}

const page = 4096;

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
