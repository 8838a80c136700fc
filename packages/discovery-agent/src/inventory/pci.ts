import type { Sysfs } from '../sysfs.ts';

export interface PciDevice {
  /** Domain, bus, device, function: `0000:3b:00.0`. */
  readonly address: string;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Of the board that carries the device; 0 where there is none, as in bridges. */
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  /** Base class and subclass: 0x0302 is a 3D controller. */
  readonly classId: number;
  /** Empty when no driver is bound. */
  readonly driver: string;
}

export const pciDirectory = '/sys/bus/pci/devices';

/** Every function of every device, in the order of the addresses. */
export function readPci(sysfs: Sysfs): PciDevice[] {
  return sysfs.list(pciDirectory).map((address) => {
    const directory = `${pciDirectory}/${address}`;
    return {
      address,
      vendorId: sysfs.integer(`${directory}/vendor`) ?? 0,
      deviceId: sysfs.integer(`${directory}/device`) ?? 0,
      subsystemVendorId: sysfs.integer(`${directory}/subsystem_vendor`) ?? 0,
      subsystemDeviceId: sysfs.integer(`${directory}/subsystem_device`) ?? 0,
      classId: ((sysfs.integer(`${directory}/class`) ?? 0) >> 8) & 0xffff,
      driver: sysfs.linkName(`${directory}/driver`) ?? '',
    };
  });
}

/** A PCI Express link: what it has agreed upon and what the device is made for. */
export interface PciLink {
  /** Giga transfers per second; an idle GPU slows its link down. 0 while the link is down. */
  readonly speedGts: number;
  readonly width: number;
  readonly maxSpeedGts: number;
  readonly maxWidth: number;
}

/** `undefined` for what has no link, as the devices inside of a processor. */
export function readPciLink(sysfs: Sysfs, address: string): PciLink | undefined {
  const directory = `${pciDirectory}/${address}`;
  // `32.0 GT/s PCIe`, or `Unknown`.
  const speed = (which: string): number =>
    Number(/^\d{1,3}(\.\d)?(?= GT\/s)/.exec(sysfs.text(`${directory}/${which}_link_speed`) ?? '')?.[0] ?? 0);
  // 255 stands for unknown.
  const width = (which: string): number => (sysfs.integer(`${directory}/${which}_link_width`) ?? 0) % 255;
  const link = {
    speedGts: speed('current'),
    width: width('current'),
    maxSpeedGts: speed('max'),
    maxWidth: width('max'),
  };
  return link.maxWidth === 0 ? undefined : link;
}

/** A range of addresses that the device answers to. */
export interface PciRange {
  readonly sizeBytes: number;
  readonly prefetchable: boolean;
  readonly is64Bit: boolean;
}

const flagMemory = 0x200n; // IORESOURCE_MEM, include/linux/ioport.h
const flagPrefetch = 0x2000n;
const flag64Bit = 0x10_0000n;
const baseAddressRegisters = 6;

/** The memory ranges of the six base address registers. */
export function readPciRanges(sysfs: Sysfs, address: string): PciRange[] {
  const lines = (sysfs.text(`${pciDirectory}/${address}/resource`) ?? '').split('\n').slice(0, baseAddressRegisters);
  return lines.flatMap((line) => {
    const words = /^(0x[0-9a-f]{1,16}) (0x[0-9a-f]{1,16}) (0x[0-9a-f]{1,16})$/i.exec(line.trim());
    if (words === null) return [];
    const [start, end, flags] = words.slice(1, 4).map(BigInt);
    if (start === undefined || end === undefined || flags === undefined) return [];
    const size = Number(end - start + 1n);
    if ((flags & flagMemory) === 0n || end <= start || !Number.isSafeInteger(size)) return [];
    return [{ sizeBytes: size, prefetchable: (flags & flagPrefetch) !== 0n, is64Bit: (flags & flag64Bit) !== 0n }];
  });
}
