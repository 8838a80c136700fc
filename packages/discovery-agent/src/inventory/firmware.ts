import type { Sysfs } from '../sysfs.ts';
import type { Source } from './collector.ts';
import { chassisType } from './chassis-types.ts';
import { printable } from './printable.ts';
import { readEntryPoint } from './smbios.ts';
import { readSecureBoot } from './secure-boot.ts';
import type { SecureBoot } from './secure-boot.ts';

/** Strings as the firmware has them; empty where it has none. */
export interface Firmware {
  /** Lower case; `undefined` when the board has none that is usable. */
  readonly uuid: string | undefined;
  readonly bootMode: 'uefi' | 'bios';
  readonly secureBoot: SecureBoot;
  readonly bios: {
    readonly vendor: string;
    readonly version: string;
    /** `12/20/2023` */
    readonly date: string;
    /** Of the firmware itself, where `version` is the board maker's: `5.27`. */
    readonly release: string;
  };
  /** `3.3`; empty without SMBIOS or without root. */
  readonly smbiosVersion: string;
  readonly system: NamedPart;
  readonly board: NamedPart;
  /** Its name is the kind of chassis: `Rack Mount Chassis`. */
  readonly chassis: NamedPart;
}

export interface NamedPart {
  readonly vendor: string;
  readonly name: string;
  readonly version: string;
  readonly serial: string;
}

const noPart: NamedPart = { vendor: '', name: '', version: '', serial: '' };

export const noFirmware: Firmware = {
  uuid: undefined,
  bootMode: 'bios',
  secureBoot: 'unknown',
  bios: { vendor: '', version: '', date: '', release: '' },
  smbiosVersion: '',
  system: noPart,
  board: noPart,
  chassis: noPart,
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function readFirmware({ sysfs, problem }: Source): Firmware {
  const field = (name: string): string => printable(sysfs.text(`/sys/class/dmi/id/${name}`) ?? '');
  const part = (prefix: string, vendor: string, name: string): NamedPart => ({
    vendor: field(vendor),
    name,
    version: field(`${prefix}_version`),
    serial: field(`${prefix}_serial`),
  });
  const uuid = readMachineUuid(sysfs);
  if (uuid === undefined) problem('no usable UUID in /sys/class/dmi/id/product_uuid or product_serial');
  const bootMode = sysfs.exists('/sys/firmware/efi') ? 'uefi' : 'bios';
  const secureBoot = readSecureBoot(sysfs);
  if (bootMode === 'uefi' && secureBoot === 'unknown')
    problem('Secure Boot is unknown: no variables in /sys/firmware/efi/efivars; mount efivarfs there');
  return {
    uuid,
    bootMode,
    secureBoot,
    bios: {
      vendor: field('bios_vendor'),
      version: field('bios_version'),
      date: field('bios_date'),
      release: field('bios_release'),
    },
    smbiosVersion: readEntryPoint(sysfs)?.version ?? '',
    system: part('product', 'sys_vendor', field('product_name')),
    board: part('board', 'board_vendor', field('board_name')),
    chassis: part('chassis', 'chassis_vendor', chassisType(field('chassis_type'))),
  };
}

export function readMachineUuid(sysfs: Sysfs): string | undefined {
  const field = (name: string): string => sysfs.text(`/sys/class/dmi/id/${name}`) ?? '';
  return machineUuid(field('product_uuid'), field('product_serial'));
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
