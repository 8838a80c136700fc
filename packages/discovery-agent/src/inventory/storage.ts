import type { Source } from './collector.ts';
import { readDisks } from './disks.ts';

export interface StorageController {
  /** PCI address. */
  readonly address: string;
  /**
   * `raid`: makes volumes of disks, which may be out of sight. `firmware-raid`: in RAID mode, but it is the firmware's
   * own driver that makes the volumes; Linux sees the disks.
   */
  readonly kind: 'raid' | 'firmware-raid' | 'sas' | 'sata' | 'nvme' | 'scsi' | 'ide' | 'other';
  readonly vendor: string;
  readonly model: string;
  /** Empty when no driver is bound: the disks behind it are unknown. */
  readonly driver: string;
  /** Disks and volumes on it, `/dev/sda`. */
  readonly disks: readonly string[];
}

/** PCI Code and ID Assignment Specification 1.1, base class 01. */
const massStorage = 0x01;
const kindOfSubclass: ReadonlyMap<number, StorageController['kind']> = new Map([
  [0x00, 'scsi'],
  [0x01, 'ide'],
  [0x04, 'raid'],
  [0x06, 'sata'],
  [0x07, 'sas'],
  [0x08, 'nvme'],
]);

/** Some call themselves SAS or plain SCSI. mpt3sas is not here: most of its controllers make no volumes. */
const raidDrivers: ReadonlySet<string> = new Set(['megaraid_sas', 'mpi3mr', 'smartpqi', 'hpsa', 'aacraid', 'arcmsr']);
/** Intel's RST, and VMD, which has a RAID class for the sake of the same. */
const plainDrivers: ReadonlySet<string> = new Set(['ahci', 'vmd']);

/** Also says of controllers without a driver that they hide disks, which would be neither counted nor wiped. */
export function readStorage({ sysfs, names, pci, problem }: Source): StorageController[] {
  const disks = readDisks(sysfs);
  return pci()
    .filter(({ classId }) => classId >> 8 === massStorage)
    .map(({ address, vendorId, deviceId, classId, driver }) => {
      const { vendor, model } = names.lookup(vendorId, deviceId);
      if (driver === '') problem(`no driver for ${vendor} ${model} at ${address}; disks on it are not seen`);
      return {
        address,
        kind: kindOf(classId & 0xff, driver),
        vendor,
        model,
        driver,
        disks: disks.filter((disk) => disk.controller === address).map((disk) => disk.name),
      };
    });
}

function kindOf(subclass: number, driver: string): StorageController['kind'] {
  const kind = kindOfSubclass.get(subclass) ?? 'other';
  if (kind === 'raid' && plainDrivers.has(driver)) return 'firmware-raid';
  return raidDrivers.has(driver) ? 'raid' : kind;
}
