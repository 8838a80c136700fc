/**
 * Writer of the "newc" cpio format, the one that the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * Everything that could differ between two builds is fixed: owner 0:0, mtime 0, inode numbers counted from 1 in the
 * order given, so equal entries give equal bytes. No root is needed, since nothing is ever placed on a file system.
 */

export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly data: Uint8Array; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const typeBits = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

/**
 * One archive, trailer included.
 *
 * Entries are sorted by path, which also puts every directory before its contents.
 *
 * @throws RangeError when a path is absolute, empty, or given twice
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const parts: Uint8Array[] = [];
  let previous = '';
  for (const [index, entry] of sorted.entries()) {
    if (entry.path === '' || entry.path.startsWith('/')) throw new RangeError(`cpio: "${entry.path}" is not relative`);
    if (entry.path === previous) throw new RangeError(`cpio: "${entry.path}" was given twice`);
    previous = entry.path;
    parts.push(...record(entry.path, index + 1, modeOf(entry), contentOf(entry)));
  }
  parts.push(...record('TRAILER!!!', 0, 0, new Uint8Array()));
  return Buffer.concat(parts);
}

function modeOf(entry: CpioEntry): number {
  switch (entry.kind) {
    case 'directory':
      return typeBits.directory | (entry.mode ?? 0o755);
    case 'file':
      return typeBits.file | (entry.mode ?? 0o644);
    case 'symlink':
      return typeBits.symlink | 0o777;
  }
}

function contentOf(entry: CpioEntry): Uint8Array {
  switch (entry.kind) {
    case 'directory':
      return new Uint8Array();
    case 'file':
      return entry.data;
    case 'symlink':
      return Buffer.from(entry.target);
  }
}

function record(path: string, inode: number, mode: number, content: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    1, // nlink
    0, // mtime
    content.length,
    0, // device major, minor, then the same of a device node
    0,
    0,
    0,
    name.length,
    0, // checksum, only used by the "crc" variant
  ];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
