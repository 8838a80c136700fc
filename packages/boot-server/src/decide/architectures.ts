import { clientArch, type ClientArch } from '@ingot/wire';

/** Keys of the configuration's `ipxe.files`: for which kind of machine an iPXE binary is made. */
export const FIRMWARE_NAMES = [
  'bios',
  'efiIa32',
  'efiX64',
  'efiArm32',
  'efiArm64',
  'efiRiscv64',
  'efiLoong64',
] as const;
export type FirmwareName = (typeof FIRMWARE_NAMES)[number];

/** One client system architecture type (option 93) that there is an iPXE for. */
export interface Architecture {
  readonly firmware: FirmwareName;
  /** Whether the client loads by TFTP after PXE discovery, or by URL (UEFI HTTP boot). */
  readonly loads: 'tftp' | 'http';
  /** `arch` of the script URL: 0 for 32-bit x86 and BIOS, 1 for x64, others by name. */
  readonly scriptArch: string;
  /** The file name for a client that goes on without a binary. */
  readonly fileWithoutBinary?: string;
}

const EFI_BY_CPU: Partial<Readonly<Record<ClientArch['cpu'], readonly [FirmwareName, string]>>> = {
  x86: ['efiIa32', '0'],
  x64: ['efiX64', '1'],
  arm32: ['efiArm32', 'arm32'],
  arm64: ['efiArm64', 'arm64'],
  riscv64: ['efiRiscv64', 'riscv64'],
  loong64: ['efiLoong64', 'loong64'],
};

/** The kind of machine behind a number of option 93; undefined where no iPXE exists. */
export function architectureOf(type: number): Architecture | undefined {
  const { firmware, cpu, httpBoot } = clientArch(type);
  const loads = httpBoot ? 'http' : 'tftp';
  if (firmware === 'bios') return { firmware: 'bios', loads, scriptArch: '0' };
  // U-Boot starts EFI programs too.
  const isUBoot = firmware === 'u-boot';
  const found = firmware === 'uefi' || isUBoot ? EFI_BY_CPU[cpu] : undefined;
  if (found === undefined) return undefined;
  const architecture: Architecture = { firmware: found[0], loads, scriptArch: found[1] };
  return isUBoot && !httpBoot ? { ...architecture, fileWithoutBinary: U_BOOT_FILE } : architecture;
}

/** Its `pxe get` takes the folder of this name only, and asks for `pxelinux.cfg/01-<mac>` in there. */
const U_BOOT_FILE = 'pxelinux.0';
