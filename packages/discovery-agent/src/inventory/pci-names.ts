import type { Sysfs } from '../sysfs.ts';

export interface PciNames {
  /** Names of a vendor and its device; `0x10de` style where the list has none. */
  lookup(vendorId: number, deviceId: number): { readonly vendor: string; readonly model: string };
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

/**
 * Looks up in the text of pci.ids (https://pci-ids.ucw.cz). Searches instead of parsing: the list has 35,000 lines,
 * a machine has perhaps ten devices to name.
 */
function searchPciNames(text: string): PciNames {
  const line = (from: number): string => text.slice(from, endOfLine(text, from));
  return {
    lookup(vendorId, deviceId) {
      const unknown = { vendor: `0x${hex(vendorId)}`, model: `0x${hex(deviceId)}` };
      const vendorAt = text.indexOf(`\n${hex(vendorId)}  `);
      if (vendorAt < 0) return unknown;
      const vendor = line(vendorAt + 7).trim();
      let at = endOfLine(text, vendorAt + 1);
      // Devices of the vendor are indented by a tab, their subsystems by two, comments may stand between.
      while (at < text.length && (text[at + 1] === '\t' || text[at + 1] === '#')) {
        if (text.startsWith(`\n\t${hex(deviceId)}  `, at)) return { vendor, model: line(at + 8).trim() };
        at = endOfLine(text, at + 1);
      }
      return { vendor, model: unknown.model };
    },
  };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** The list of this system, read when the first name is asked for; without one every name is a number. */
export function openPciNames(sysfs: Sysfs): PciNames {
  let names: PciNames | undefined;
  return {
    lookup(vendorId, deviceId) {
      names ??= searchPciNames(readList(sysfs));
      return names.lookup(vendorId, deviceId);
    },
  };
}

function readList(sysfs: Sysfs): string {
  const paths = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];
  const bytes = paths.map((path) => sysfs.bytes(path)).find((content) => content !== undefined);
  return bytes === undefined ? '' : `\n${Buffer.from(bytes).toString('latin1')}`;
}
