import { z } from 'zod';
import type { Binaries } from '../decide/decision.ts';
import { absolutePath, fileName } from './fields.ts';

export interface IpxeConfig {
  readonly directory: string;
  readonly files: Binaries;
  readonly chainRoms: boolean;
}

export const ipxeSchema: z.ZodType<IpxeConfig> = z
  .strictObject({
    directory: absolutePath().default('/usr/lib/ipxe').describe('where the iPXE binaries are'),
    files: z
      .strictObject({
        bios: fileName().default('undionly.kpxe').describe('for BIOS'),
        efiX64: fileName().default('snponly.efi').describe('for UEFI on x86, 64 bit'),
        efiIa32: fileName().optional().describe('for UEFI on x86, 32 bit'),
        efiArm32: fileName().optional().describe('for UEFI on ARM, 32 bit'),
        efiArm64: fileName().optional().describe('for UEFI on ARM, 64 bit'),
        efiRiscv64: fileName().optional().describe('for UEFI on RISC-V, 64 bit'),
        efiLoong64: fileName().optional().describe('for UEFI on LoongArch, 64 bit'),
      })
      .prefault({})
      .describe('iPXE binary for each kind of machine'),
    chainRoms: z
      .boolean()
      .default(false)
      .describe('give an iPXE in a ROM the binary from files first, also where it could boot by itself'),
  })
  .prefault({})
  .describe('the boot loader');
