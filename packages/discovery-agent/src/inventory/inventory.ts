import type { Sysfs } from '../sysfs.ts';
import { readCpus } from './cpus.ts';
import type { Cpu } from './cpus.ts';
import { readDisks } from './disks.ts';
import type { Disk } from './disks.ts';
import { readFirmware } from './firmware.ts';
import type { Firmware } from './firmware.ts';
import { readMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import { readNics } from './nics.ts';
import type { Nic } from './nics.ts';
import { readPciNames } from './pci-names.ts';
import { gpusOf, readPci } from './pci.ts';
import type { Gpu, PciDevice } from './pci.ts';

/** What a machine is made of. Equal machines give equal inventories: every list has a stable order. */
export interface Inventory {
  readonly firmware: Firmware;
  readonly cpus: readonly Cpu[];
  readonly memory: Memory;
  readonly disks: readonly Disk[];
  readonly pci: readonly PciDevice[];
  readonly gpus: readonly Gpu[];
  readonly nics: readonly Nic[];
  /** What could not be found out and why; the rest holds nevertheless. */
  readonly problems: readonly string[];
}

export function takeInventory(sysfs: Sysfs): Inventory {
  const problems: string[] = [];
  /** One collector that fails must not take the others with it. */
  const collect = <T>(what: string, read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    }
  };
  const part = { vendor: '', name: '', serial: '' };
  const noFirmware: Firmware = {
    uuid: undefined,
    bootMode: 'bios',
    bios: { vendor: '', version: '', date: '' },
    system: part,
    board: part,
    chassis: part,
    dimms: [],
  };
  const names = collect('pci.ids', () => readPciNames(sysfs), {
    lookup: () => ({ vendor: '', model: '' }),
  });
  const pci = collect('pci', () => readPci(sysfs), []);
  const inventory = {
    firmware: collect('firmware', () => readFirmware(sysfs), noFirmware),
    cpus: collect('cpus', () => readCpus(sysfs), []),
    memory: collect<Memory>('memory', () => readMemory(sysfs), { sizeBytes: 0, source: 'unknown' }),
    disks: collect('disks', () => readDisks(sysfs), []),
    pci,
    gpus: collect('gpus', () => gpusOf(pci, names), []),
    nics: collect('nics', () => readNics(sysfs, names), []),
  };
  if (inventory.firmware.uuid === undefined)
    problems.push('firmware: no usable UUID in /sys/class/dmi/id/product_uuid or product_serial');
  if (inventory.cpus.length === 0) problems.push('cpus: none found in /sys/devices/system/cpu');
  if (inventory.memory.source === 'unknown') problems.push('memory: neither memory blocks nor /proc/meminfo');
  for (const nic of inventory.nics)
    if (!nic.macIsPermanent) problems.push(`nics: ${nic.name} has the address ${nic.mac}, which is not its own`);
  return { ...inventory, problems };
}
