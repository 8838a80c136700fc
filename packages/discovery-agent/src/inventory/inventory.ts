import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import { openSource } from './collector.ts';
import type { Collector } from './collector.ts';
import { readCpus } from './cpus.ts';
import type { Cpu } from './cpus.ts';
import { readDisks } from './disks.ts';
import type { Disk } from './disks.ts';
import { noFirmware, readFirmware } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import type { HangGuard } from './hang-guard.ts';
import { readGpus } from './gpus.ts';
import type { Gpu } from './gpus.ts';
import { noMemory, readMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import { addressProblem, readNics } from './nics.ts';
import type { Nic } from './nics.ts';
import { readNuma } from './numa.ts';
import type { NumaNode } from './numa.ts';
import type { PciDevice } from './pci.ts';
import { readStorage } from './storage.ts';
import type { StorageController } from './storage.ts';
import { readTpms } from './tpms.ts';
import type { Tpm } from './tpms.ts';

export interface InventoryParts {
  readonly firmware: Firmware;
  readonly tpms: readonly Tpm[];
  readonly cpus: readonly Cpu[];
  readonly memory: Memory;
  readonly numa: readonly NumaNode[];
  readonly disks: readonly Disk[];
  readonly storage: readonly StorageController[];
  readonly pci: readonly PciDevice[];
  /** Displays and accelerators of every kind; those of kind `management`, `virtual` and `integrated` are not rented. */
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
  tpms: { read: readTpms, otherwise: [] },
  cpus: { read: readCpus, otherwise: [] },
  memory: { read: readMemory, otherwise: noMemory },
  numa: { read: readNuma, otherwise: [] },
  disks: { read: ({ sysfs }) => readDisks(sysfs), otherwise: [] },
  storage: { read: readStorage, otherwise: [] },
  pci: { read: ({ pci }) => pci(), otherwise: [] },
  gpus: { read: readGpus, otherwise: [] },
  nics: { read: ({ sysfs, names }) => readNics(sysfs, names), otherwise: [] },
};

export const collectorNames: readonly string[] = Object.keys(collectors);

/** Whoever wants to know what is under way, and what to leave out. */
export type CollectorGuard = Pick<HangGuard, 'hung' | 'enter'>;

const unguarded: CollectorGuard = { hung: [], enter: () => {} };

/** One after the other; one that fails does not take the others with it. */
export function takeInventory(sysfs: Sysfs, guard: CollectorGuard = unguarded): Inventory {
  const problems: string[] = [];
  const source = openSource(sysfs);
  const collect = <Name extends keyof InventoryParts>(name: Name): InventoryParts[Name] => {
    const problem = (text: string): void => void problems.push(`${name}: ${text}`);
    if (guard.hung.includes(name)) {
      problem('left out, since it gave no answer before');
      return collectors[name].otherwise;
    }
    guard.enter(name);
    try {
      return collectors[name].read({ ...source, problem });
    } catch (error) {
      problem(reasonOf(error));
      return collectors[name].otherwise;
    }
  };
  const parts: InventoryParts = {
    firmware: collect('firmware'),
    tpms: collect('tpms'),
    cpus: collect('cpus'),
    memory: collect('memory'),
    numa: collect('numa'),
    disks: collect('disks'),
    storage: collect('storage'),
    pci: collect('pci'),
    gpus: collect('gpus'),
    nics: collect('nics'),
  };
  problems.push(...parts.nics.filter((nic) => !nic.macIsPermanent).map(addressProblem));
  const denied = sysfs.denied();
  if (denied.length > 0) problems.push(`only root may read ${denied.join(', ')}`);
  return { ...parts, problems };
}
