import { existsSync } from 'node:fs';
import type { Accelerator } from './accelerator.ts';
import { LabError } from './errors.ts';

/**
 * What a machine does when it is switched on.
 * - `bios`: SeaBIOS, with the iPXE in the network card's ROM.
 * - `uefi`: OVMF's own PXE client.
 * - `uefi-http`: OVMF that knows only HTTP boot.
 * - `uefi-ipv6`: OVMF whose PXE client knows only IPv6.
 * - `uefi-ia32`, `uefi-http-ia32`: OVMF of 32 bits on a 64-bit processor, as tablets and small boxes have it, by PXE and
 *   by HTTP boot alone.
 * - `uefi-secure-boot`: OVMF with Secure Boot on and Microsoft's keys enrolled, as servers are delivered.
 * - `uefi-arm64`: AAVMF's PXE client on a 64-bit ARM machine.
 * - `uefi-http-arm64`: AAVMF that knows only HTTP boot.
 * - `u-boot-arm64`: U-Boot on the same machine, as small ARM boards have it.
 */
export const firmwares = [
  'bios',
  'uefi',
  'uefi-http',
  'uefi-ipv6',
  'uefi-ia32',
  'uefi-http-ia32',
  'uefi-secure-boot',
  'uefi-arm64',
  'uefi-http-arm64',
  'u-boot-arm64',
] as const;
export type Firmware = (typeof firmwares)[number];

interface FlashFiles {
  readonly code: string;
  /** Copied for each machine. */
  readonly variables: string;
  /** The Debian package that has both. */
  readonly debianPackage: string;
}

/** Firmware that QEMU loads and that keeps nothing. */
interface BiosFile {
  readonly file: string;
  readonly debianPackage: string;
}

interface Board {
  readonly program: 'qemu-system-x86_64' | 'qemu-system-aarch64';
  readonly debianPackage: string;
  readonly machine: string;
  /** Costs the least to emulate. */
  readonly cpu: string;
  readonly extra: readonly string[];
}

// graphics=off makes SeaBIOS and iPXE talk on the serial port.
const pc: Board = {
  program: 'qemu-system-x86_64',
  debianPackage: 'qemu-system-x86',
  machine: 'q35,graphics=off',
  cpu: 'qemu64',
  extra: [],
};

/** System management mode guards the variables: without it anybody could switch Secure Boot off. */
const securePc: Board = {
  ...pc,
  machine: 'q35,graphics=off,smm=on',
  extra: ['-global', 'driver=cfi.pflash01,property=secure,value=on', '-global', 'ICH9-LPC.disable_s3=1'],
};

const armServer: Board = {
  program: 'qemu-system-aarch64',
  debianPackage: 'qemu-system-arm',
  machine: 'virt,gic-version=3',
  cpu: 'cortex-a57',
  extra: [],
};

const ovmf: FlashFiles = {
  code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  variables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
  debianPackage: 'ovmf',
};

/** Debian builds it with system management mode only; no keys are enrolled, so Secure Boot is off. */
const ovmfIa32: FlashFiles = {
  code: '/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd',
  variables: '/usr/share/OVMF/OVMF32_VARS_4M.fd',
  debianPackage: 'ovmf-ia32',
};

const aavmf: FlashFiles = {
  code: '/usr/share/AAVMF/AAVMF_CODE.fd',
  variables: '/usr/share/AAVMF/AAVMF_VARS.fd',
  debianPackage: 'qemu-efi-aarch64',
};

interface Parts {
  readonly board: Board;
  readonly flash?: FlashFiles;
  readonly bios?: BiosFile;
  readonly without?: readonly (4 | 6)[];
}

const parts: Readonly<Record<Firmware, Parts>> = {
  bios: { board: pc },
  uefi: { board: pc, flash: ovmf },
  'uefi-http': { board: pc, flash: ovmf, without: [4, 6] },
  'uefi-ipv6': { board: pc, flash: ovmf, without: [4] },
  'uefi-ia32': { board: securePc, flash: ovmfIa32 },
  'uefi-http-ia32': { board: securePc, flash: ovmfIa32, without: [4, 6] },
  'uefi-secure-boot': {
    board: securePc,
    flash: {
      ...ovmf,
      code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
      variables: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd',
    },
  },
  'uefi-arm64': { board: armServer, flash: aavmf },
  'uefi-http-arm64': { board: armServer, flash: aavmf, without: [4, 6] },
  'u-boot-arm64': {
    board: armServer,
    bios: { file: '/usr/lib/u-boot/qemu_arm64/u-boot.bin', debianPackage: 'u-boot-qemu' },
  },
};

/** Whether a machine with this firmware can have a BMC inside: QEMU has the device on PCs only. */
export function hasIpmi(firmware: Firmware): boolean {
  return parts[firmware].board.program === 'qemu-system-x86_64';
}

/** OVMF and AAVMF read these; they take PXE over that IP version out of the boot order. */
const withoutPxe = (versions: readonly (4 | 6)[]): string[] =>
  versions.flatMap((version) => ['-fw_cfg', `name=opt/org.tianocore/IPv${version}PXESupport,string=n`]);

/** A card without its option ROM is left to the firmware's own PXE client; iPXE would take that client's place. */
const WITHOUT_ROM = ',romfile=';

/** The part of QEMU's command line that depends on the firmware. */
export interface FirmwareSetup {
  readonly program: string;
  readonly args: readonly string[];
  /** Has to be copied to the machine's own file before its first start. */
  readonly variables: string | undefined;
  /** Appended to each network card. */
  readonly nicSuffix: string;
}

/** LAB_MISSING_PACKAGE when the firmware or its emulator is not installed. */
export function setUpFirmware(firmware: Firmware, accelerator: Accelerator, variablesFile: string): FirmwareSetup {
  const { board, flash, bios, without = [] } = parts[firmware];
  needFile(`/usr/bin/${board.program}`, board.debianPackage);
  // Under KVM the host's own processor is the cheapest, and only its own kind can be had.
  const kvm = accelerator === 'kvm' && board.program === 'qemu-system-x86_64';
  const common = [
    '-machine',
    board.machine,
    '-accel',
    kvm ? 'kvm' : 'tcg,thread=multi',
    '-cpu',
    kvm ? 'host' : board.cpu,
  ];
  const args = [...common, ...board.extra, ...withoutPxe(without)];
  if (bios !== undefined) {
    needFile(bios.file, bios.debianPackage);
    return {
      program: board.program,
      args: [...args, '-bios', bios.file],
      variables: undefined,
      nicSuffix: WITHOUT_ROM,
    };
  }
  if (flash === undefined) return { program: board.program, args, variables: undefined, nicSuffix: '' };
  needFile(flash.code, flash.debianPackage);
  const drive = (unit: number, words: string): string[] => ['-drive', `if=pflash,unit=${unit},format=raw,${words}`];
  return {
    program: board.program,
    args: [...args, ...drive(0, `readonly=on,file=${flash.code}`), ...drive(1, `file=${variablesFile}`)],
    variables: flash.variables,
    nicSuffix: WITHOUT_ROM,
  };
}

function needFile(path: string, debianPackage: string): void {
  if (existsSync(path)) return;
  throw new LabError('LAB_MISSING_PACKAGE', `${path} is not there: apt-get install ${debianPackage}`);
}
