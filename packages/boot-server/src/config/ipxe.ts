import { z } from 'zod';
import type { Binaries } from '../decide/decision.ts';
import { absolutePath, fileName } from './fields.ts';

export interface IpxeConfig {
  readonly directory: string;
  readonly files: Binaries;
  readonly chainRoms: boolean;
  readonly loaders: Readonly<Record<string, string>>;
  readonly sha256?: Readonly<Record<string, string>> | undefined;
}

/**
 * Where Debian has its signed boot loaders for Secure Boot. shim asks for GRUB and for MokManager beside itself. For UEFI
 * of 32 bits an amd64 host can install an unsigned GRUB only.
 */
const DEBIAN_LOADERS: Readonly<Record<string, string>> = {
  'shimx64.efi': '/usr/lib/shim/shimx64.efi.signed',
  'mmx64.efi': '/usr/lib/shim/mmx64.efi.signed',
  'grubx64.efi': '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
  'grubia32.efi': '/usr/lib/grub/i386-efi/monolithic/grubnetia32.efi',
  'shimaa64.efi': '/usr/lib/shim/shimaa64.efi.signed',
  'mmaa64.efi': '/usr/lib/shim/mmaa64.efi.signed',
  'grubaa64.efi': '/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed',
};

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
      .describe('iPXE binary for each kind of machine, or the name of one of loaders'),
    chainRoms: z
      .boolean()
      .default(false)
      .describe('give an iPXE in a ROM the binary from files first, also where it could boot by itself'),
    loaders: z
      .record(fileName(), absolutePath())
      .transform((own) => ({ ...DEBIAN_LOADERS, ...own }))
      .prefault({})
      .describe(
        'further boot loaders by the names under which machines ask for them, besides those of Debian’s packages; those that are not there count as none',
      ),
    sha256: z
      .record(
        fileName(),
        z.string().regex(/^[0-9a-f]{64}$/i, { error: 'write 64 hex digits, as sha256sum prints them' }),
      )
      .optional()
      .describe('SHA-256 of boot loaders by name: one with another hash is not served'),
  })
  .prefault({})
  .describe('the boot loader');
