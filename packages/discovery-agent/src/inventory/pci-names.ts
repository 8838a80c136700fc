import type { Sysfs } from '../sysfs.ts';
import { newerAccelerators } from './newer-accelerators.ts';

export interface PciNames {
  /** Names of a vendor and its device; `0x10de` style where the list has none. */
  lookup(vendorId: number, deviceId: number): { readonly vendor: string; readonly model: string };
  /** Name of a board that carries the device; undefined where the list has none. */
  subsystem(vendorId: number, deviceId: number, subVendorId: number, subDeviceId: number): string | undefined;
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

interface Section {
  readonly name: string;
  /** The lines below the name that are indented deeper. */
  readonly lines: Buffer;
}

const none = Buffer.alloc(0);

/**
 * Looks up in the bytes of pci.ids (https://pci-ids.ucw.cz). Searches instead of parsing: the list has 35,000 lines,
 * a machine has perhaps ten devices to name.
 */
function searchPciNames(list: Buffer): PciNames {
  const vendors = new Map<number, Section | undefined>();
  const vendorOf = (vendorId: number): Section | undefined => {
    if (!vendors.has(vendorId)) vendors.set(vendorId, sectionOf(list, `\n${hex(vendorId)}  `, 1));
    return vendors.get(vendorId);
  };
  const deviceOf = (vendorId: number, deviceId: number): Section | undefined =>
    sectionOf(vendorOf(vendorId)?.lines ?? none, `\n\t${hex(deviceId)}  `, 2);
  return {
    lookup: (vendorId, deviceId) => ({
      vendor: vendorOf(vendorId)?.name ?? `0x${hex(vendorId)}`,
      model:
        newerAccelerators.get(vendorId * 0x1_0000 + deviceId) ??
        deviceOf(vendorId, deviceId)?.name ??
        `0x${hex(deviceId)}`,
    }),
    subsystem(vendorId, deviceId, subVendorId, subDeviceId) {
      const lines = deviceOf(vendorId, deviceId)?.lines ?? none;
      return sectionOf(lines, `\n\t\t${hex(subVendorId)} ${hex(subDeviceId)}  `, 3)?.name;
    },
  };
}

const newLine = 0x0a;
const tab = 0x09;
const comment = 0x23;

/** From the line that starts with `key` to before the next one of fewer tabs; comments may stand between. */
function sectionOf(list: Buffer, key: string, tabs: number): Section | undefined {
  const at = list.indexOf(key, 0, 'latin1');
  if (at < 0) return undefined;
  const isDeeper = (from: number): boolean => {
    if (list[from] === comment) return true;
    for (let index = from; index < from + tabs; index++) if (list[index] !== tab) return false;
    return true;
  };
  const start = endOfLine(list, at + 1);
  let end = start;
  while (end < list.length && isDeeper(end + 1)) end = endOfLine(list, end + 1);
  return { name: list.toString('utf8', at + key.length, start).trim(), lines: list.subarray(start, end) };
}

function endOfLine(list: Buffer, from: number): number {
  const end = list.indexOf(newLine, from);
  return end < 0 ? list.length : end;
}

/** The list of this system, read when the first name is asked for; without one every name is a number. */
export function openPciNames(sysfs: Sysfs): PciNames {
  let opened: PciNames | undefined;
  const names = (): PciNames => (opened ??= searchPciNames(readList(sysfs)));
  return {
    lookup: (...ids) => names().lookup(...ids),
    subsystem: (...ids) => names().subsystem(...ids),
  };
}

/** With a new line before it, so that one is before every key. */
function readList(sysfs: Sysfs): Buffer {
  const paths = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];
  const bytes = paths.map((path) => sysfs.bytes(path)).find((content) => content !== undefined);
  return bytes === undefined ? none : Buffer.concat([Uint8Array.of(newLine), bytes]);
}
