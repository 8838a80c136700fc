/** What option 93's number tells of a client. */
export interface ClientArch {
  readonly arch: number;
  /** `firmware` loads and starts the boot file. */
  readonly firmware: 'bios' | 'uefi' | 'u-boot' | 'open-firmware' | 'powernv' | 'rpi' | 'other';
  readonly cpu:
    | 'x86'
    | 'x64'
    | 'arm32'
    | 'arm64'
    | 'ia64'
    | 'alpha'
    | 'ppc'
    | 'riscv32'
    | 'riscv64'
    | 'riscv128'
    | 's390'
    | 'mips32'
    | 'mips64'
    | 'sunway32'
    | 'sunway64'
    | 'loong32'
    | 'loong64'
    | 'other';
  /** The client wants a URI and fetches it by HTTP itself; it announces itself as `HTTPClient` in option 60. */
  readonly httpBoot: boolean;
  /** For logs and people. */
  readonly name: string;
}

type Row = readonly [ClientArch['firmware'], ClientArch['cpu'], boolean, string];

/**
 * IANA "Processor Architecture Types" (RFC 5970 §3.3 and registrations since). RFC 4578 printed 7 and 9 the other way
 * round; its erratum 4625 and all firmware in the field agree with this table. BIOS clients are listed as x86: a
 * 64-bit machine that boots in BIOS mode sends 0 as well.
 */
const TABLE: readonly Row[] = [
  ['bios', 'x86', false, 'BIOS'],
  ['other', 'x86', false, 'NEC PC98'],
  ['uefi', 'ia64', false, 'UEFI Itanium'],
  ['other', 'alpha', false, 'DEC Alpha'],
  ['other', 'x86', false, 'Arc x86'],
  ['other', 'x86', false, 'Intel Lean Client'],
  ['uefi', 'x86', false, 'UEFI x86'],
  ['uefi', 'x64', false, 'UEFI x64'],
  ['uefi', 'arm32', false, 'UEFI XScale'],
  ['uefi', 'x64', false, 'UEFI byte code'],
  ['uefi', 'arm32', false, 'UEFI ARM 32'],
  ['uefi', 'arm64', false, 'UEFI ARM 64'],
  ['open-firmware', 'ppc', false, 'PowerPC Open Firmware'],
  ['other', 'ppc', false, 'PowerPC ePAPR'],
  ['powernv', 'ppc', false, 'POWER OPAL v3'],
  ['uefi', 'x86', true, 'UEFI x86 HTTP'],
  ['uefi', 'x64', true, 'UEFI x64 HTTP'],
  ['uefi', 'x64', true, 'UEFI byte code HTTP'],
  ['uefi', 'arm32', true, 'UEFI ARM 32 HTTP'],
  ['uefi', 'arm64', true, 'UEFI ARM 64 HTTP'],
  ['bios', 'x86', true, 'BIOS HTTP'],
  ['u-boot', 'arm32', false, 'U-Boot ARM 32'],
  ['u-boot', 'arm64', false, 'U-Boot ARM 64'],
  ['u-boot', 'arm32', true, 'U-Boot ARM 32 HTTP'],
  ['u-boot', 'arm64', true, 'U-Boot ARM 64 HTTP'],
  ['uefi', 'riscv32', false, 'UEFI RISC-V 32'],
  ['uefi', 'riscv32', true, 'UEFI RISC-V 32 HTTP'],
  ['uefi', 'riscv64', false, 'UEFI RISC-V 64'],
  ['uefi', 'riscv64', true, 'UEFI RISC-V 64 HTTP'],
  ['uefi', 'riscv128', false, 'UEFI RISC-V 128'],
  ['uefi', 'riscv128', true, 'UEFI RISC-V 128 HTTP'],
  ['other', 's390', false, 's390 Basic'],
  ['other', 's390', false, 's390 Extended'],
  ['uefi', 'mips32', false, 'UEFI MIPS 32'],
  ['uefi', 'mips64', false, 'UEFI MIPS 64'],
  ['uefi', 'sunway32', false, 'UEFI Sunway 32'],
  ['uefi', 'sunway64', false, 'UEFI Sunway 64'],
  ['uefi', 'loong32', false, 'UEFI LoongArch 32'],
  ['uefi', 'loong32', true, 'UEFI LoongArch 32 HTTP'],
  ['uefi', 'loong64', false, 'UEFI LoongArch 64'],
  ['uefi', 'loong64', true, 'UEFI LoongArch 64 HTTP'],
  ['rpi', 'arm64', false, 'Raspberry Pi boot ROM'],
];

/** Every architecture that IANA lists, in order of its number. */
export const CLIENT_ARCHS: readonly ClientArch[] = TABLE.map(([firmware, cpu, httpBoot, name], arch) => ({
  arch,
  firmware,
  cpu,
  httpBoot,
  name,
}));

/** The row for a number of option 93; for one that IANA does not list, a row that says so. */
export function clientArch(arch: number): ClientArch {
  return CLIENT_ARCHS[arch] ?? { arch, firmware: 'other', cpu: 'other', httpBoot: false, name: `architecture ${arch}` };
}
