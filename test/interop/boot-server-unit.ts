import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootNetwork } from './boot-server-network.ts';

/** The systemd unit of the boot server. */
export const UNIT: string = readFileSync(new URL('../../systemd/ingot-boot-server.service', import.meta.url), 'utf8');

/** Debian's nobody and nogroup. */
export const NOBODY = 65_534;

/** What to put before the daemon's command so that it runs as the unit lets it: as nobody, with the unit's capabilities. */
export async function asUnit(net: BootNetwork): Promise<string[]> {
  const data = join(net.folder, 'data');
  await mkdir(data);
  await chown(data, NOBODY, NOBODY);
  // mkdtemp makes it for root alone.
  await chmod(net.folder, 0o755);
  const names = (/^CapabilityBoundingSet=(.*)$/m.exec(UNIT)?.[1] ?? '').split(' ');
  const capabilities = names.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`).join(',');
  return [
    'setpriv',
    '--reuid=nobody',
    '--regid=nogroup',
    '--clear-groups',
    '--no-new-privs',
    `--inh-caps=-all,${capabilities}`,
    `--ambient-caps=-all,${capabilities}`,
    `--bounding-set=-all,${capabilities}`,
  ];
}
