import type { Sysfs } from '../sysfs.ts';
import type { PciNames } from './pci-names.ts';

/** What a collector works with. */
export interface Source {
  readonly sysfs: Sysfs;
  readonly names: PciNames;
  /** Names what could not be found out and why, while the rest of the part holds. */
  readonly problem: (text: string) => void;
}

/** Finds out one part of the inventory. May throw: then the part is `otherwise`, and the message is a problem. */
export interface Collector<Part> {
  readonly read: (source: Source) => Part;
  readonly otherwise: Part;
}
