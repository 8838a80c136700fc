/**
 * The little that the image needs to know about 64-bit little-endian ELF files (System V ABI, chapter 4 and 5).
 *
 * Done here and not by binutils: the bytes of the image then depend on no tool version of the build host.
 */

const programHeader = { load: 1, dynamic: 2 } as const;
const dynamicTag = { needed: 1, stringTable: 5, soname: 14 } as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  /** Where this program header itself stands in the file. */
  readonly headerOffset: number;
}

export function isElf(file: Buffer): boolean {
  return file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
}

function segments(file: Buffer): Segment[] {
  const start = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      fileSize: Number(file.readBigUInt64LE(at + 32)),
      memorySize: Number(file.readBigUInt64LE(at + 40)),
      headerOffset: at,
    };
  });
}

/** Names of the shared libraries that a program or library is linked with. */
export function neededLibraries(file: Buffer): string[] {
  const all = segments(file);
  const dynamic = all.find((segment) => segment.type === programHeader.dynamic);
  if (dynamic === undefined) return [];
  const needed: number[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
    const tag = Number(file.readBigInt64LE(at));
    const value = Number(file.readBigUInt64LE(at + 8));
    if (tag === dynamicTag.needed) needed.push(value);
    if (tag === dynamicTag.stringTable) strings = value;
  }
  const home = all.find(
    ({ type, address, fileSize }) => type === programHeader.load && strings >= address && strings < address + fileSize,
  );
  if (home === undefined) return [];
  const table = strings - home.address + home.offset;
  return needed.map((offset) => file.toString('latin1', table + offset, file.indexOf(0, table + offset)));
}

/**
 * The file without everything that is never mapped: symbol table, debug information and the section headers, which
 * link editors put behind the last segment. A third of the Node binary.
 */
export function withoutUnmapped(file: Buffer): Buffer {
  const end = Math.max(...segments(file).map(({ offset, fileSize }) => offset + fileSize));
  const kept = Buffer.from(file.subarray(0, end));
  kept.writeBigUInt64LE(0n, 40); // e_shoff
  kept.writeUInt16LE(0, 60); // e_shnum
  kept.writeUInt16LE(0, 62); // e_shstrndx
  return kept;
}

const signatureMarker = '~Module signature appended~\n';

/**
 * A kernel module without its appended signature (struct module_signature in include/linux/module_signature.h).
 * Debian's kernel only marks itself tainted; checking an RSA signature per module costs seconds on an emulated CPU.
 */
export function withoutModuleSignature(file: Buffer): Buffer {
  const marker = file.length - signatureMarker.length;
  if (file.toString('latin1', marker) !== signatureMarker) return file;
  return file.subarray(0, marker - 12 - file.readUInt32BE(marker - 4));
}

/** `key=value` strings of a kernel module's `.modinfo` section, keys may repeat. */
export function moduleInfo(file: Buffer): { readonly key: string; readonly value: string }[] {
  const start = Number(file.readBigUInt64LE(40));
  const size = file.readUInt16LE(58);
  const header = (index: number) => {
    const at = start + index * size;
    return {
      name: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  };
  const names = header(file.readUInt16LE(62));
  for (let index = 0; index < file.readUInt16LE(60); index++) {
    const section = header(index);
    const name = file.toString('latin1', names.offset + section.name, names.offset + section.name + 9);
    if (name !== '.modinfo\0') continue;
    return file
      .toString('utf8', section.offset, section.offset + section.size)
      .split('\0')
      .flatMap((line) => {
        const equals = line.indexOf('=');
        return equals < 1 ? [] : [{ key: line.slice(0, equals), value: line.slice(equals + 1) }];
      });
  }
  return [];
}
