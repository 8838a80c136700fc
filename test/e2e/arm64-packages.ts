import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/image.ts';

/** What an ARM machine boots, out of Debian's packages for its architecture. */
export interface Arm64Files {
  /** Modules of the same version, to build another one from. */
  readonly grubModules: string;
  /** Signed, with its modules built in; looks for /grub/grub.cfg on the server that it came from. */
  readonly grub: string;
  readonly kernel: string;
  readonly busybox: string;
}

const cache = join(root, '.cache/arm64');

/**
 * Fetches the packages once, with apt's own checks of their signatures, into `.cache`. The host's apt is only read: the
 * package lists of the other architecture, and all that is downloaded, go into a state of their own.
 */
export function fetchArm64Files(): Arm64Files {
  const grubModules = join(cache, 'root/usr/lib/grub/arm64-efi');
  if (!existsSync(join(cache, 'kernel')) || !existsSync(grubModules)) fetchPackages();
  return {
    grubModules,
    grub: join(cache, 'root/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed'),
    kernel: join(cache, 'root', readFileSync(join(cache, 'kernel'), 'utf8')),
    busybox: join(cache, 'root/bin/busybox'),
  };
}

function fetchPackages(): void {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const work = mkdtempSync(join(root, '.cache/arm64-'));
  try {
    for (const directory of ['state/lists/partial', 'cache/archives/partial', 'debs'])
      mkdirSync(join(work, directory), { recursive: true });
    // No package is installed, so that none is taken for one of this host.
    writeFileSync(join(work, 'status'), '');
    const options = {
      'APT::Architecture': 'arm64',
      'APT::Architectures': 'arm64',
      'Dir::State': join(work, 'state'),
      'Dir::State::status': join(work, 'status'),
      'Dir::Cache': join(work, 'cache'),
      // Without the sandbox user apt would complain that it cannot write into our directory.
      'APT::Sandbox::User': 'root',
    };
    const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const apt = (program: 'apt-get' | 'apt-cache', ...args: readonly string[]): string =>
      execFileSync(program, [...words, '-q', ...args], { cwd: join(work, 'debs'), encoding: 'utf8', stdio: 'pipe' });
    apt('apt-get', 'update');
    const kernelPackage = /\b(linux-image-\d\S*)/.exec(apt('apt-cache', 'depends', 'linux-image-arm64'))?.[1];
    if (kernelPackage === undefined) throw new Error('linux-image-arm64 names no kernel');
    apt('apt-get', 'download', kernelPackage, 'grub-efi-arm64-signed', 'grub-efi-arm64-bin', 'busybox-static');
    for (const deb of readdirSync(join(work, 'debs')))
      execFileSync('dpkg-deb', ['-x', join(work, 'debs', deb), join(work, 'root')], { stdio: 'pipe' });
    for (const spent of ['state', 'cache', 'debs', 'root/lib']) rmSync(join(work, spent), { recursive: true });
    writeFileSync(join(work, 'kernel'), `boot/${kernelPackage.replace('linux-image-', 'vmlinuz-')}`);
    rmSync(cache, { recursive: true, force: true });
    renameSync(work, cache);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`Debian's packages for arm64 could not be fetched: ${words}`, { cause: error });
  }
}
