import { reasonOf } from '../errors.ts';
import type { RunCommand } from '../command.ts';
import { readPorts } from '../inventory/nics/ports.ts';
import type { Sysfs } from '../sysfs.ts';

/** A port that may hear a leaf. */
export interface LldpPort {
  readonly name: string;
  readonly carrier: boolean;
  /** Empty where unknown. */
  readonly driver: string;
}

/** Ethernet ports to the outside; quick enough for every look. */
export function lldpPorts(sysfs: Sysfs): LldpPort[] {
  return readPorts(sysfs)
    .filter(({ link, towardsBmc }) => link === 'ethernet' && !towardsBmc)
    .map(({ name, carrier }) => ({
      name,
      carrier,
      driver: sysfs.linkName(`/sys/class/net/${name}/device/driver`) ?? '',
    }));
}

const mtuTimeoutMs = 5_000;

/**
 * Sets how long a packet the ports may send, in bytes (68 to what the adapter can). LLDP itself never needs it: without
 * a setting the ports stay at Ethernet's 1500.
 *
 * @returns what went wrong, port by port; a port that refuses keeps what it has
 */
export async function setPortMtu(
  ports: readonly LldpPort[],
  mtu: number,
  { run, signal }: { readonly run: RunCommand; readonly signal: AbortSignal },
): Promise<string[]> {
  const results = await Promise.all(
    ports.map(async ({ name }) => {
      try {
        await run('ip', ['link', 'set', 'dev', name, 'mtu', String(mtu)], { timeoutMs: mtuTimeoutMs, signal });
        return [];
      } catch (error) {
        signal.throwIfAborted();
        return [`${name} keeps its MTU: ${reasonOf(error)}`];
      }
    }),
  );
  return results.flat();
}
