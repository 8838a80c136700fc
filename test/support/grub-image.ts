import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** All that a boot by the configurations of our boot server calls for, over HTTP alone. */
const modules = 'configfile echo efinet gzio http linux minicmd net normal reboot sleep smbios test tftp'.split(' ');

/**
 * Builds a GRUB that goes on by HTTP, as operators do for UEFI HTTP boot: Debian's signed one cannot. It asks DHCP
 * itself, for nothing of what firmware keeps of an HTTP boot has its network settings: by the first card, which is the one
 * that the machines of the tests boot from. Asked for all cards it would go on by the last.
 *
 * @param modulesDirectory Debian's `/usr/lib/grub/i386-efi` and the like
 * @param server own address and port of the boot server's HTTP, `10.0.0.1:8080`
 */
export function buildHttpGrub(path: string, modulesDirectory: string, server: string): void {
  const early = `${path}.cfg`;
  writeFileSync(early, `net_bootp efinet0\nset prefix=(http,${server})/grub\nconfigfile $prefix/grub.cfg\n`);
  const format = modulesDirectory.split('/').at(-1) ?? '';
  const words = ['-O', format, '-d', modulesDirectory, '-p', '/grub', '-c', early, '-o', path, ...modules];
  execFileSync('grub-mkimage', words, { stdio: 'pipe' });
}
