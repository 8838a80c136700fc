import type { Sysfs } from '../sysfs.ts';
import type { Source } from './collector.ts';
import type { PciNames } from './pci-names.ts';
import { pciDirectory, readPciLink, readPciRanges } from './pci.ts';
import type { PciDevice, PciLink } from './pci.ts';

/** What a device of a display or accelerator class is there for. */
export const GpuKind = {
  /** A graphics processor of its own. */
  Gpu: 'gpu',
  /** Made to compute only: PCI class 0x1200. */
  Accelerator: 'accelerator',
  /** A part of the processor. */
  Integrated: 'integrated',
  /** The screen of a BMC. */
  Management: 'management',
  /** The screen that a hypervisor shows. */
  Virtual: 'virtual',
} as const;
export type GpuKind = (typeof GpuKind)[keyof typeof GpuKind];

export interface Gpu {
  readonly address: string;
  readonly kind: GpuKind;
  /** As in pci.ids, like the next; the hexadecimal id when it is not listed there. */
  readonly vendor: string;
  readonly model: string;
  /** The board: its name in pci.ids, or its ids as `10de:16c1`. */
  readonly subsystem: string;
  /** Empty when no driver is bound. */
  readonly driver: string;
  readonly numaNode?: number;
  readonly memory?: GpuMemory;
  readonly link?: PciLink;
}

/** How much memory it has, and who says so. */
export interface GpuMemory {
  readonly sizeBytes: number;
  /**
   * `driver`: counted by the driver. `name`: out of the model's name, `80GB`. `window`: the largest prefetchable
   * 64-bit range that it answers to, a power of two; the memory is as large or a little smaller (80 GB behind 128 GiB).
   */
  readonly source: 'driver' | 'name' | 'window';
}

/** VGA, XGA, 3D, other display (PCI Code and ID Assignment Specification 1.4), processing accelerator (1.19). */
const classes: ReadonlySet<number> = new Set([0x0300, 0x0301, 0x0302, 0x0380, 0x1200]);
const processingAccelerator = 0x1200;

/** ASPEED, Matrox (G200 inside of iLO, iDRAC, Pilot and others), XGI, HiSilicon's iBMC, Silicon Motion. */
const managementVendors: ReadonlySet<number> = new Set([0x1a03, 0x102b, 0x18ca, 0x19e5, 0x126f]);
/** ES1000 and RN50: ATI's for servers without a screen. */
const managementDevices: ReadonlySet<number> = new Set([0x1002_515e, 0x1002_5969]);
/** QEMU (Bochs), Red Hat (QXL, virtio), Cirrus, VMware, VirtualBox, Hyper-V. */
const virtualVendors: ReadonlySet<number> = new Set([0x1234, 0x1b36, 0x1af4, 0x1013, 0x15ad, 0x80ee, 0x1414]);
const intel = 0x8086;
const amd = 0x1022;
const ati = 0x1002;

/**
 * Every display and accelerator, of whatever vendor and for whatever it is there, in the order of the addresses.
 * Virtual functions are left out: they are shares of a device that is listed.
 */
export function readGpus({ sysfs, names, pci }: Source): Gpu[] {
  const devices = pci();
  return devices
    .filter(({ classId, address }) => classes.has(classId) && !sysfs.exists(`${pciDirectory}/${address}/physfn`))
    .map((device) => gpuOf(sysfs, names, device, kindOf(device, devices)));
}

/** What one rents a machine for. */
export function isRented(kind: GpuKind): boolean {
  return kind === GpuKind.Gpu || kind === GpuKind.Accelerator;
}

function kindOf(device: PciDevice, all: readonly PciDevice[]): GpuKind {
  const { vendorId, deviceId, classId, address } = device;
  if (classId !== processingAccelerator) {
    if (managementVendors.has(vendorId) || managementDevices.has(vendorId * 0x1_0000 + deviceId))
      return GpuKind.Management;
    if (virtualVendors.has(vendorId)) return GpuKind.Virtual;
  }
  // Bus 0 is inside of the processor.
  if (vendorId === intel && address.startsWith('0000:00:')) return GpuKind.Integrated;
  // AMD's processors show their graphics as function 0 of a device that has the platform's security processor, too.
  const slot = address.slice(0, address.lastIndexOf('.') + 1);
  if (vendorId === ati && all.some((other) => other.vendorId === amd && other.address.startsWith(slot)))
    return GpuKind.Integrated;
  return classId === processingAccelerator ? GpuKind.Accelerator : GpuKind.Gpu;
}

function gpuOf(sysfs: Sysfs, names: PciNames, device: PciDevice, kind: GpuKind): Gpu {
  const { address, vendorId, deviceId, subsystemVendorId, subsystemDeviceId, driver } = device;
  const { vendor, model } = names.lookup(vendorId, deviceId);
  const numaNode = sysfs.integer(`${pciDirectory}/${address}/numa_node`) ?? -1;
  const board = names.subsystem(vendorId, deviceId, subsystemVendorId, subsystemDeviceId);
  const memory = isRented(kind) ? readMemory(sysfs, address, model) : undefined;
  const link = readPciLink(sysfs, address);
  return {
    address,
    kind,
    vendor,
    model,
    subsystem: board ?? (subsystemVendorId === 0 ? '' : `${hex(subsystemVendorId)}:${hex(subsystemDeviceId)}`),
    driver,
    ...(numaNode >= 0 && { numaNode }),
    ...(memory && { memory }),
    ...(link && { link }),
  };
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

/** Without resizable BAR a GPU shows its memory through a window of this size, whatever it has. */
const legacyWindow = 256 * 2 ** 20;

function readMemory(sysfs: Sysfs, address: string, model: string): GpuMemory | undefined {
  const counted = sysfs.integer(`${pciDirectory}/${address}/mem_info_vram_total`) ?? 0; // amdgpu
  if (counted > 0) return { sizeBytes: counted, source: 'driver' };
  const gibibytes = Number(/\b(\d{1,4}) ?GB\b/.exec(model)?.[1] ?? 0);
  if (gibibytes > 0) return { sizeBytes: gibibytes * 2 ** 30, source: 'name' };
  const windows = readPciRanges(sysfs, address).filter(({ prefetchable, is64Bit }) => prefetchable && is64Bit);
  const largest = windows.reduce((most, { sizeBytes }) => Math.max(most, sizeBytes), 0);
  return largest > legacyWindow ? { sizeBytes: largest, source: 'window' } : undefined;
}
