import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { MachineIdentity } from '@ingot/lab';

/** What a machine is told to start, fetched as its boot loader would have. */
export interface FetchedBoot extends Disposable {
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
}

/** What udhcpc calls: takes the address and the way out, and keeps the boot file's name. */
const hook = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
for one in $router; do ip route add default via "$one"; done
echo "\${boot_file:-$bootfile}" >"\${0%/*}/boot-file"
`;
/**
 * Client architecture 11, UEFI on 64-bit ARM (RFC 5970 §3.3 and IANA's list); iPXE's user class (option 77) and what it
 * can do (option 175): HTTP, EFI.
 */
const options =
  '-O bootfile -V PXEClient:Arch:00011:UNDI:003000 -x 0x5d:000b -x 0x4d:69505845 -x 0xaf:130101240101'.split(' ');
/** 40 MB through a relay namespace take a second. */
const fetchTimeoutMs = 60_000;

/**
 * What iPXE would do on a machine whose processor has no iPXE in Debian: with the MAC of the machine's first network card,
 * plugged into its leaf, it asks DHCP, runs the script that the boot server gives, and loads the files. The address is
 * given up when it is done, as a boot loader does.
 *
 * @param rack name of the rack, whose leaves have the namespaces `ingot-<rack>-<leaf>`
 */
export async function fetchBoot(rack: string, { uuid, nics }: MachineIdentity): Promise<FetchedBoot> {
  const [{ mac, leaf }] = nics;
  const directory = mkdtempSync(join(tmpdir(), 'ingot-ipxe-'));
  const inside = `ingot-${rack}-loader`;
  const ip = (...words: readonly string[]): Promise<unknown> => execa('ip', words);
  const exec = async (...command: readonly string[]): Promise<string> =>
    (await execa('ip', ['netns', 'exec', inside, ...command], { timeout: fetchTimeoutMs })).stdout;
  const get = (url: string): Promise<string> => exec('curl', '-sS', '--fail-with-body', url);
  await ip('netns', 'add', inside);
  try {
    await ip('-n', `ingot-${rack}-${leaf}`, 'link', 'add', 'loader', 'type', 'veth', 'peer', 'eth0', 'netns', inside);
    await ip('-n', `ingot-${rack}-${leaf}`, 'link', 'set', 'loader', 'master', 'Vlan4000', 'up');
    await ip('-n', inside, 'link', 'set', 'eth0', 'address', mac, 'up');
    const script = join(directory, 'hook');
    writeFileSync(script, hook);
    chmodSync(script, 0o755);
    await exec('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '10', '-T', '1', '-s', script, ...options);
    let url = readFileSync(join(directory, 'boot-file'), 'utf8').trim();
    let text = await get(url);
    // The first script may only ask once more, with what it finds in SMBIOS.
    const [, again] = /^chain --replace (\S+)$/m.exec(text) ?? [];
    if (again !== undefined) {
      url = again.replace('${uuid}', uuid);
      text = await get(url);
    }
    const word = (pattern: RegExp): string => {
      const [, found] = pattern.exec(text) ?? [];
      if (found === undefined) throw new Error(`the script of ${url} has no ${pattern.source}:\n${text}`);
      return found;
    };
    const files = { kernel: join(directory, 'kernel'), initrd: join(directory, 'initrd') };
    await exec('curl', '-sS', '--fail', '-o', files.kernel, word(/^kernel .*?(http:\S+)/m));
    await exec('curl', '-sS', '--fail', '-o', files.initrd, word(/^initrd .*?(http:\S+)/m));
    return {
      ...files,
      cmdline: word(/^boot kernel (.*?) \|\| goto failed$/m).replace('${console}', 'ttyAMA0'),
      [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    await ip('netns', 'del', inside);
  }
}
