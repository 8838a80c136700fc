import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fetchArm64Files } from './arm64-packages.ts';
import { buildMarkerInitrd } from './marker-initrd.ts';
import { image } from '../support/image.ts';

/** Sections of a boot server's configuration that hand out Debian's boot loaders, and a kernel for each processor. */
export function grubConfiguration(directory: string): Readonly<Record<string, unknown>> {
  const arm64 = fetchArm64Files();
  const initrd = buildMarkerInitrd('initrd-amd64', '/bin/busybox');
  const kernels = join(directory, 'kernels');
  mkdirSync(kernels);
  // Debian's kernel for arm64 is not compressed; GRUB fetches in small blocks, and unpacks by itself.
  const arm64Kernel = join(kernels, 'vmlinuz-arm64.gz');
  writeFileSync(arm64Kernel, gzipSync(readFileSync(arm64.kernel), { level: 6 }));
  return {
    ipxe: {
      // The others are where Debian's packages put them.
      loaders: { 'grubaa64.efi': arm64.grub },
    },
    artifacts: { roots: [join(image.kernel, '..'), join(initrd, '..'), directory] },
    sources: {
      profiles: {
        inline: [
          {
            name: 'secure-boot',
            match: { arch: 'efiX64' },
            loader: 'shimx64.efi',
            kernel: image.kernel,
            initrd,
            cmdline: 'quiet profile=secure-boot',
          },
          {
            name: 'ia32',
            match: { arch: 'efiIa32' },
            loader: 'grubia32.efi',
            // Linux starts a 64-bit kernel from 32-bit UEFI, and still uses that (CONFIG_EFI_MIXED).
            kernel: image.kernel,
            initrd,
            cmdline: 'quiet profile=ia32',
          },
          {
            name: 'arm64',
            match: { arch: 'efiArm64' },
            loader: 'grubaa64.efi',
            kernel: arm64Kernel,
            initrd: buildMarkerInitrd('initrd-arm64', arm64.busybox),
            cmdline: 'quiet profile=arm64',
          },
        ],
      },
    },
  };
}
