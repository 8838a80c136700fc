/**
 * The little that the image needs to know about 64-bit little-endian ELF files (System V ABI, chapter 4 and 5).
 *
 * Done here and not by binutils: the bytes of the image then depend on no tool version of the build host.
 */
export declare function isElf(file: Buffer): boolean;
/** Names of the shared libraries that a program or library is linked with. */
export declare function neededLibraries(file: Buffer): string[];
/**
 * The file without everything that is never mapped: symbol table, debug information and the section headers, which
 * link editors put behind the last segment. A third of the Node binary.
 */
export declare function withoutUnmapped(file: Buffer): Buffer;
/**
 * A library of pure data with the data blanked: every byte of its largest read-only segment becomes zero, the symbols
 * stay. Used for ICU's 30 MB of locale tables, which libxml2 links and lldpcli never asks for; zeros cost next to
 * nothing compressed.
 */
export declare function withBlankData(file: Buffer): Buffer;
/**
 * A kernel module without its appended signature (struct module_signature in include/linux/module_signature.h).
 * Debian's kernel only marks itself tainted; checking an RSA signature per module costs seconds on an emulated CPU.
 */
export declare function withoutModuleSignature(file: Buffer): Buffer;
/** `key=value` strings of a kernel module's `.modinfo` section, keys may repeat. */
export declare function moduleInfo(file: Buffer): {
  readonly key: string;
  readonly value: string;
}[];
