import type { Source } from './collector.ts';
import { dimmsOf, parseSmbios } from './smbios.ts';
import type { Dimm } from './smbios.ts';

export interface Firmware {
  /** Lower case; `undefined` when the board has none that is usable. */
  readonly uuid: string | undefined;
  readonly bootMode: 'uefi' | 'bios';
  readonly bios: { readonly vendor: string; readonly version: string; readonly date: string };
  readonly system: NamedPart;
  readonly board: NamedPart;
  readonly chassis: NamedPart;
  readonly dimms: readonly Dimm[];
}

/** Strings as the firmware has them; empty where it has none. */
export interface NamedPart {
  readonly vendor: string;
  readonly name: string;
  readonly serial: string;
}

const noPart: NamedPart = { vendor: '', name: '', serial: '' };

export const noFirmware: Firmware = {
  uuid: undefined,
  bootMode: 'bios',
  bios: { vendor: '', version: '', date: '' },
  system: noPart,
  board: noPart,
  chassis: noPart,
  dimms: [],
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function readFirmware({ sysfs, problem }: Source): Firmware {
  const field = (name: string): string => sysfs.text(`/sys/class/dmi/id/${name}`) ?? '';
  const part = (prefix: string, name: string): NamedPart => ({
    vendor: field(prefix === 'product' ? 'sys_vendor' : `${prefix}_vendor`),
    name: field(`${prefix}_${name}`),
    serial: field(`${prefix}_serial`),
  });
  const uuid = machineUuid(field('product_uuid'), field('product_serial'));
  if (uuid === undefined) problem('no usable UUID in /sys/class/dmi/id/product_uuid or product_serial');
  const table = sysfs.bytes('/sys/firmware/dmi/tables/DMI');
  return {
    uuid,
    bootMode: sysfs.exists('/sys/firmware/efi') ? 'uefi' : 'bios',
    bios: { vendor: field('bios_vendor'), version: field('bios_version'), date: field('bios_date') },
    system: part('product', 'name'),
    board: part('board', 'name'),
    chassis: part('chassis', 'type'),
    dimms: table === undefined ? [] : dimmsOf(parseSmbios(table)),
  };
}

/**
 * Must be the UUID of the machine's DHCP option 97, since the boot server made the token for that one. Some boards
 * leave it empty and put a UUID into the product's serial number.
 */
export function machineUuid(productUuid: string, productSerial: string): string | undefined {
  return [productUuid, productSerial].map((text) => text.trim().toLowerCase()).find(isUsableUuid);
}

/** All zeros and all ones are what an unprogrammed board shows (DSP0134 7.2.1). */
function isUsableUuid(text: string): boolean {
  return uuidPattern.test(text) && !/^[0-]+$|^[f-]+$/.test(text);
}
