/**
 * Names of arm64 processors by the implementer and part of MIDR_EL1, which is all that /proc/cpuinfo tells of them
 * (Arm ARM D19.2; the parts as in arch/arm64/include/asm/cputype.h and util-linux' lscpu).
 */
interface Implementer {
  readonly name: string;
  readonly parts: Readonly<Record<number, string>>;
}

const implementers: Readonly<Record<number, Implementer>> = {
  0x41: {
    name: 'ARM',
    parts: {
      0xd03: 'Cortex-A53',
      0xd04: 'Cortex-A35',
      0xd05: 'Cortex-A55',
      0xd07: 'Cortex-A57',
      0xd08: 'Cortex-A72',
      0xd09: 'Cortex-A73',
      0xd0a: 'Cortex-A75',
      0xd0b: 'Cortex-A76',
      0xd0c: 'Neoverse-N1',
      0xd0d: 'Cortex-A77',
      0xd40: 'Neoverse-V1',
      0xd41: 'Cortex-A78',
      0xd44: 'Cortex-X1',
      0xd46: 'Cortex-A510',
      0xd47: 'Cortex-A710',
      0xd48: 'Cortex-X2',
      0xd49: 'Neoverse-N2',
      0xd4a: 'Neoverse-E1',
      0xd4f: 'Neoverse-V2',
      0xd83: 'Neoverse-V3AE',
      0xd84: 'Neoverse-V3',
      0xd8e: 'Neoverse-N3',
    },
  },
  0x42: { name: 'Broadcom', parts: { 0x516: 'ThunderX2' } },
  0x43: {
    name: 'Cavium',
    parts: { 0x0a1: 'ThunderX', 0x0a2: 'ThunderX-81XX', 0x0af: 'ThunderX2', 0x0b8: 'ThunderX3' },
  },
  0x46: { name: 'FUJITSU', parts: { 0x001: 'A64FX', 0x003: 'MONAKA' } },
  0x48: { name: 'HiSilicon', parts: { 0xd01: 'TaiShan-v110', 0xd02: 'TaiShan-v120' } },
  0x4e: { name: 'NVIDIA', parts: { 0x003: 'Denver 2', 0x004: 'Carmel', 0x010: 'Olympus' } },
  0x50: { name: 'APM', parts: { 0x000: 'X-Gene' } },
  0x51: { name: 'Qualcomm', parts: { 0x001: 'Oryon', 0xc00: 'Falkor', 0xc01: 'Saphira' } },
  0x53: { name: 'Samsung', parts: {} },
  0x56: { name: 'Marvell', parts: {} },
  0x61: { name: 'Apple', parts: {} },
  0x69: { name: 'Intel', parts: {} },
  0x6d: { name: 'Microsoft', parts: { 0xd49: 'Azure-Cobalt-100' } },
  0x70: {
    name: 'Phytium',
    parts: { 0x303: 'FTC310', 0x660: 'FTC660', 0x661: 'FTC661', 0x662: 'FTC662', 0x663: 'FTC663' },
  },
  0xc0: { name: 'Ampere', parts: { 0xac3: 'Ampere-1', 0xac4: 'Ampere-1a' } },
};

/** Numbers of an implementer or part that is not listed stay numbers. */
export function armNames(implementer: number, part: number): { readonly vendor: string; readonly model: string } {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const known = implementers[implementer];
  return { vendor: known?.name ?? hex(implementer), model: known?.parts[part] ?? hex(part) };
}
