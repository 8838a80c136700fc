import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createQuickRack } from '../e2e/quick-rack.ts';
import { leftovers } from '../e2e/rack-under-test.ts';
import { root } from '../support/image.ts';

const rackName = 'installer';

afterAll(() => expect(leftovers(rackName)).toEqual([]));

/** Debian's own package of its installer's netboot files, fetched once. */
function fetchInstaller(): { readonly kernel: string; readonly initrd: string } {
  const name = 'debian-installer-12-netboot-amd64';
  const folder = join(root, '.cache', name);
  if (!existsSync(folder)) {
    mkdirSync(join(root, '.cache'), { recursive: true });
    const work = mkdtempSync(`${folder}-`);
    try {
      execFileSync('apt-get', ['-o', 'APT::Sandbox::User=root', '-q', 'download', name], { cwd: work, stdio: 'pipe' });
      const [deb = ''] = readdirSync(work);
      execFileSync('dpkg-deb', ['-x', join(work, deb), join(work, 'root')]);
      renameSync(join(work, 'root'), folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const netboot = join(folder, 'usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64');
  return { kernel: join(netboot, 'linux'), initrd: join(netboot, 'initrd.gz') };
}

test("ingot boot debian: Debian's installer starts on OVMF, takes its answers from the boot server, and does what they say", async () => {
  const { kernel, initrd } = fetchInstaller();
  const answers = join(root, '.cache/preseed.cfg');
  writeFileSync(
    answers,
    'd-i preseed/early_command string echo "INSTALLER $(debconf-get netcfg/get_hostname) has its answers" >/dev/console\n',
  );
  // The installer would ask whether it may do with the little memory of this machine.
  const cmdline = 'hostname=db1 domain=example.net netcfg/get_nameservers=10.0.0.1 lowmem=+0';
  const files = ['--kernel', kernel, '--initrd', initrd, '--preseed', answers];
  // Nothing is there, but without router and name server the installer asks for them before it has its answers.
  const words = ['debian', ...files, '--cmdline', cmdline, '--router', '10.0.0.1'];
  await using rack = await createQuickRack(rackName, 'uefi', words);
  await rack.machine.on();
  await rack.machine.says(/INSTALLER db1 has its answers/, 380_000);
  expect(rack.printed.join('\n')).toContain(`${rack.mac}  starts its kernel`);
});
