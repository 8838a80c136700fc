import type { CpioEntry } from './cpio.ts';
/**
 * @param root the directory that holds `lib/modules/<version>` of the unpacked kernel package
 * @param wanted module names
 * @returns entries below `usr/lib/modules/<version>`
 * @throws Error naming a module that the kernel neither has nor has built in
 */
export declare function moduleEntries(root: string, version: string, wanted: readonly string[]): CpioEntry[];
