import type { Sysfs } from '../sysfs.ts';
import type { PciNames } from './pci-names.ts';

export interface PciDevice {
  /** Domain, bus, device, function: `0000:3b:00.0`. */
  readonly address: string;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class and subclass: 0x0302 is a 3D controller. */
  readonly classId: number;
  /** Empty when no driver is bound. */
  readonly driver: string;
}

export interface Gpu {
  readonly address: string;
  /** As in pci.ids; the hexadecimal id when it is not listed there. */
  readonly vendor: string;
  readonly model: string;
}

export function readPci(sysfs: Sysfs): PciDevice[] {
  return sysfs.list('/sys/bus/pci/devices').map((address) => {
    const directory = `/sys/bus/pci/devices/${address}`;
    return {
      address,
      vendorId: sysfs.integer(`${directory}/vendor`) ?? 0,
      deviceId: sysfs.integer(`${directory}/device`) ?? 0,
      classId: (sysfs.integer(`${directory}/class`) ?? 0) >> 8,
      driver: sysfs.linkName(`${directory}/driver`) ?? '',
    };
  });
}

/** VGA, 3D, other display; processing accelerator (PCI Code and ID Assignment Specification 1.2, 1.4, 1.19). */
const gpuClasses: ReadonlySet<number> = new Set([0x0300, 0x0302, 0x0380, 0x1200]);

/** The screen of a BMC: ASPEED, and Matrox' G200 family. No one rents a machine for these. */
const managementDisplays: ReadonlySet<number> = new Set([0x1a03, 0x102b]);

/** Graphics processors and accelerators of every vendor. */
export function gpusOf(devices: readonly PciDevice[], names: PciNames): Gpu[] {
  return devices
    .filter(({ classId, vendorId }) => gpuClasses.has(classId) && !managementDisplays.has(vendorId))
    .map(({ address, vendorId, deviceId }) => ({ address, ...names.lookup(vendorId, deviceId) }));
}
