import type { Sysfs } from '../sysfs.ts';

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
  readonly lines: string;
}

/**
 * Looks up in the text of pci.ids (https://pci-ids.ucw.cz). Searches instead of parsing: the list has 35,000 lines,
 * a machine has perhaps ten devices to name.
 */
function searchPciNames(text: string): PciNames {
  const vendors = new Map<number, Section | undefined>();
  const vendorOf = (vendorId: number): Section | undefined => {
    if (!vendors.has(vendorId)) vendors.set(vendorId, sectionOf(text, `\n${hex(vendorId)}  `, '\t'));
    return vendors.get(vendorId);
  };
  const deviceOf = (vendorId: number, deviceId: number): Section | undefined =>
    sectionOf(vendorOf(vendorId)?.lines ?? '', `\n\t${hex(deviceId)}  `, '\t\t');
  return {
    lookup: (vendorId, deviceId) => ({
      vendor: vendorOf(vendorId)?.name ?? `0x${hex(vendorId)}`,
      model: deviceOf(vendorId, deviceId)?.name ?? `0x${hex(deviceId)}`,
    }),
    subsystem(vendorId, deviceId, subVendorId, subDeviceId) {
      const lines = deviceOf(vendorId, deviceId)?.lines ?? '';
      return sectionOf(lines, `\n\t\t${hex(subVendorId)} ${hex(subDeviceId)}  `, '\t\t\t')?.name;
    },
  };
}

/** From the line that starts with `key` to before the next one that is less indented; comments may stand between. */
function sectionOf(text: string, key: string, indent: string): Section | undefined {
  const at = text.indexOf(key);
  if (at < 0) return undefined;
  const start = endOfLine(text, at + 1);
  let end = start;
  while (end < text.length && (text.startsWith(indent, end + 1) || text[end + 1] === '#'))
    end = endOfLine(text, end + 1);
  const name = Buffer.from(text.slice(at + key.length, start), 'latin1')
    .toString('utf8')
    .trim();
  return { name, lines: text.slice(start, end) };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
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

function readList(sysfs: Sysfs): string {
  const paths = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];
  const bytes = paths.map((path) => sysfs.bytes(path)).find((content) => content !== undefined);
  // Debian's list is UTF-8; searching is quicker in strings of one byte a character, so names are decoded afterwards.
  return bytes === undefined ? '' : `\n${Buffer.from(bytes).toString('latin1')}`;
}
