import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import type { Collector, Source } from './collector.ts';
import { readCpus } from './cpus.ts';
import type { Cpu } from './cpus.ts';
import { readDisks } from './disks.ts';
import type { Disk } from './disks.ts';
import { noFirmware, readFirmware } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import { readMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import { readNics } from './nics.ts';
import type { Nic } from './nics.ts';
import { openPciNames } from './pci-names.ts';
import { gpusOf, readPci } from './pci.ts';
import type { Gpu, PciDevice } from './pci.ts';
import { readStorage } from './storage.ts';
import type { StorageController } from './storage.ts';

export interface InventoryParts {
  readonly firmware: Firmware;
  readonly cpus: readonly Cpu[];
  readonly memory: Memory;
  readonly disks: readonly Disk[];
  readonly storage: readonly StorageController[];
  readonly pci: readonly PciDevice[];
  readonly gpus: readonly Gpu[];
  readonly nics: readonly Nic[];
}

/** What a machine is made of. Equal machines give equal inventories: every list has a stable order. */
export interface Inventory extends InventoryParts {
  /** What could not be found out and why, as `<collector>: <why>`; the rest holds nevertheless. */
  readonly problems: readonly string[];
}

const collectors: { readonly [Name in keyof InventoryParts]: Collector<InventoryParts[Name]> } = {
  firmware: { read: readFirmware, otherwise: noFirmware },
  cpus: { read: readCpus, otherwise: [] },
  memory: { read: readMemory, otherwise: { sizeBytes: 0, source: 'unknown' } },
  disks: { read: ({ sysfs }) => readDisks(sysfs), otherwise: [] },
  storage: { read: readStorage, otherwise: [] },
  pci: { read: ({ sysfs }) => readPci(sysfs), otherwise: [] },
  gpus: { read: ({ sysfs, names }) => gpusOf(readPci(sysfs), names), otherwise: [] },
  nics: { read: ({ sysfs, names }) => readNics(sysfs, names), otherwise: [] },
};

/** One after the other; one that fails does not take the others with it. */
export function takeInventory(sysfs: Sysfs): Inventory {
  const problems: string[] = [];
  const names = openPciNames(sysfs);
  const collect = <Name extends keyof InventoryParts>(name: Name): InventoryParts[Name] => {
    const problem = (text: string): void => void problems.push(`${name}: ${text}`);
    const source: Source = { sysfs, names, problem };
    try {
      return collectors[name].read(source);
    } catch (error) {
      problem(reasonOf(error));
      return collectors[name].otherwise;
    }
  };
  const parts: InventoryParts = {
    firmware: collect('firmware'),
    cpus: collect('cpus'),
    memory: collect('memory'),
    disks: collect('disks'),
    storage: collect('storage'),
    pci: collect('pci'),
    gpus: collect('gpus'),
    nics: collect('nics'),
  };
  for (const nic of parts.nics)
    if (!nic.macIsPermanent) problems.push(`nics: ${nic.name} has the address ${nic.mac}, which is not its own`);
  return { ...parts, problems };
}
