/**
 * Writer of the "newc" cpio format, the one that the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * Everything that could differ between two builds is fixed: owner 0:0, mtime 0, inode numbers counted from 1 in the
 * order given, so equal entries give equal bytes. No root is needed, since nothing is ever placed on a file system.
 */
export type CpioEntry =
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly mode?: number;
    }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly data: Uint8Array;
      readonly mode?: number;
    }
  | {
      readonly kind: 'symlink';
      readonly path: string;
      readonly target: string;
    };
/**
 * One archive, trailer included.
 *
 * Entries are sorted by path, which also puts every directory before its contents.
 *
 * @throws RangeError when a path is absolute, empty, or given twice
 */
export declare function writeCpio(entries: readonly CpioEntry[]): Buffer;
