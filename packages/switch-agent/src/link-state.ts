import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type LinkState = 'up' | 'down' | 'unknown';

const NO_LINK: ReadonlySet<string> = new Set(['down', 'lowerlayerdown', 'notpresent', 'dormant', 'testing']);

/**
 * Whether a port has link, from the netdev's sysfs folder (Documentation/ABI/testing/sysfs-class-net).
 * `unknown` when there is no such netdev (a breakout is being changed) or the kernel does not say.
 * `sysClassNet` is `/sys/class/net` but in tests.
 */
export async function readLinkState(sysClassNet: string, port: string): Promise<LinkState> {
  const folder = join(sysClassNet, port);
  try {
    await stat(folder);
  } catch {
    return 'unknown';
  }
  const operstate = await attribute(folder, 'operstate');
  if (operstate === 'up') return 'up';
  if (operstate !== undefined && NO_LINK.has(operstate)) return 'down';
  // Drivers that keep no operstate say "unknown" (RFC 2863, linux operstates.rst): the carrier decides.
  // Reading it fails with EINVAL while the port is administratively down.
  const carrier = await attribute(folder, 'carrier');
  if (carrier === '1') return 'up';
  if (carrier === '0') return 'down';
  return operstate === undefined ? 'unknown' : 'down';
}

async function attribute(folder: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, name), 'utf8')).trim();
  } catch {
    return undefined;
  }
}
