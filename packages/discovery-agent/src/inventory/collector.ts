import type { Sysfs } from '../sysfs.ts';
import { readOnlineBlocks } from './memory.ts';
import { openPciNames } from './pci-names.ts';
import type { PciNames } from './pci-names.ts';
import { readPci } from './pci.ts';
import type { PciDevice } from './pci.ts';
import { readSmbios } from './smbios.ts';
import type { SmbiosStructure } from './smbios.ts';

/** What a collector works with. What several of them need is read by the first one that asks. */
export interface Source {
  readonly sysfs: Sysfs;
  readonly names: PciNames;
  readonly pci: () => readonly PciDevice[];
  readonly smbios: () => readonly SmbiosStructure[];
  /** Names of the memory blocks that are online. */
  readonly memoryBlocks: () => ReadonlySet<string>;
  /** Names what could not be found out and why, while the rest of the part holds. */
  readonly problem: (text: string) => void;
}

/** Finds out one part of the inventory. May throw: then the part is `otherwise`, and the message is a problem. */
export interface Collector<Part> {
  readonly read: (source: Source) => Part;
  readonly otherwise: Part;
}

export function openSource(sysfs: Sysfs): Omit<Source, 'problem'> {
  return {
    sysfs,
    names: openPciNames(sysfs),
    pci: once(() => readPci(sysfs)),
    smbios: once(() => readSmbios(sysfs)),
    memoryBlocks: once(() => readOnlineBlocks(sysfs)),
  };
}

function once<T>(read: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: read() }).value;
}
