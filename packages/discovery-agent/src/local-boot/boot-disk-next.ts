import type { Clock, Entropy, Network } from '@ingot/net';
import { configureBmc } from '../bmc/configure-bmc.ts';
import type { Ipmi } from '../bmc/ipmi.ts';
import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import { bootNextDisk } from './efi-boot-next.ts';

export interface BootDiskParts {
  readonly sysfs: Sysfs;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal: AbortSignal;
  readonly network: Network;
  readonly openIpmi: (path: string) => Ipmi;
}

/**
 * Asks firmware for the disk at the next boot: UEFI by its variables, else the BMC. In words what was done, or that the
 * machine's own boot order decides, and why. Rejects only with the signal's reason.
 */
export async function bootDiskNext(parts: BootDiskParts): Promise<string> {
  const { sysfs, signal } = parts;
  const troubles: string[] = [];
  try {
    const entry = bootNextDisk(sysfs);
    if (entry !== undefined) return `by the UEFI entry "${entry}"`;
    troubles.push('UEFI has no entry for a disk');
  } catch (error) {
    troubles.push(`BootNext cannot be written: ${reasonOf(error)}`);
  }
  const mode = sysfs.exists('/sys/firmware/efi') ? 'uefi' : 'bios';
  if (mode === 'bios') troubles.length = 0;
  try {
    const bootOrder = { device: 'disk', persistent: false, mode } as const;
    const superUserPassword = (): Promise<string> => Promise.resolve('');
    const search = await configureBmc(
      { ...parts, superUserPassword },
      { userName: undefined, bootOrder, required: true },
    );
    if (search.kind === 'found') return 'by the boot flags of the BMC';
    troubles.push('there is no BMC');
  } catch (error) {
    signal.throwIfAborted();
    troubles.push(reasonOf(error));
  }
  return `as the boot order of the machine has it, since ${troubles.join(', and ')}`;
}
