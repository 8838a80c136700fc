import type { Sysfs } from '../sysfs.ts';
import type { Source } from './collector.ts';
import { fieldsOf } from './smbios.ts';
import type { SmbiosStructure } from './smbios.ts';

/** A trusted platform module. Texts are empty where nothing tells. */
export interface Tpm {
  /** `tpm0` */
  readonly name: string;
  /** `2.0` or `1.2` */
  readonly version: string;
  readonly vendor: string;
  readonly firmware: string;
  readonly driver: string;
}

const directory = '/sys/class/tpm';

/** Modules that have a driver, in the order of their numbers. Usually one, or none. */
export function readTpms({ sysfs, smbios }: Source): Tpm[] {
  const names = sysfs.list(directory).filter((name) => /^tpm\d+$/.test(name));
  // SMBIOS describes the board's one module; which of two it means, nobody knows.
  const described = names.length === 1 ? describeTpm(smbios()) : undefined;
  return names.map((name) => {
    const caps = sysfs.text(`${directory}/${name}/caps`) ?? '';
    return {
      name,
      version: versionOf(sysfs, name) || described?.version || '',
      vendor: vendorOf(/^Manufacturer: 0x([0-9a-f]{8})/m.exec(caps)?.[1]) || described?.vendor || '',
      firmware: /^Firmware version: ([\d.]{1,16})$/m.exec(caps)?.[1] ?? described?.firmware ?? '',
      driver: sysfs.linkName(`${directory}/${name}/device/driver`) ?? '',
    };
  });
}

function versionOf(sysfs: Sysfs, name: string): string {
  const major = sysfs.integer(`${directory}/${name}/tpm_version_major`); // since Linux 5.6
  if (major !== undefined) return major === 1 ? '1.2' : `${major}.0`;
  return /TPM (\d\.\d)/.exec(sysfs.text(`${directory}/${name}/device/description`) ?? '')?.[1] ?? '';
}

const tpmDevice = 43;

/** SMBIOS type 43, DSP0134 7.44. */
function describeTpm(structures: readonly SmbiosStructure[]): Omit<Tpm, 'name' | 'driver'> | undefined {
  const structure = structures.find(({ type }) => type === tpmDevice);
  if (structure === undefined) return undefined;
  const fields = fieldsOf(structure);
  const vendorId = Buffer.from(structure.data.subarray(4, 8)).toString('hex');
  const version = fields.byte(0x08) === 0 ? '' : `${fields.byte(0x08)}.${fields.byte(0x09)}`;
  // For TPM 2.0 this is TPM_PT_FIRMWARE_VERSION_1, by convention major and minor.
  const firmware = version.startsWith('2') ? `${fields.word(0x0c)}.${fields.word(0x0a)}` : '';
  return { version, vendor: vendorOf(vendorId), firmware };
}

/** TCG TPM Vendor ID Registry. */
const vendors: Readonly<Record<string, string>> = {
  AMD: 'AMD',
  ATML: 'Atmel',
  BRCM: 'Broadcom',
  CSCO: 'Cisco',
  GOOG: 'Google',
  HPE: 'HPE',
  HISI: 'Huawei',
  IBM: 'IBM',
  IFX: 'Infineon',
  INTC: 'Intel',
  MSFT: 'Microsoft',
  NSM: 'National Semiconductor',
  NTC: 'Nuvoton',
  NTZ: 'Nationz',
  QCOM: 'Qualcomm',
  SMSC: 'SMSC',
  STM: 'STMicroelectronics',
  WEC: 'Winbond',
};

/** Four characters, filled with blanks or zeros. */
function vendorOf(hexadecimal: string | undefined): string {
  const id = Buffer.from(hexadecimal ?? '', 'hex')
    .toString('latin1')
    .replaceAll(/[^\x21-\x7e]/g, '');
  return vendors[id] ?? id;
}
