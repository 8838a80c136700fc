import type { BmcDeviceParts } from '../bmc/device.ts';
import { orderBoot } from '../bmc/order-boot.ts';
import { reasonOf } from '../errors.ts';
import { bootNextDisk } from './efi-boot-next.ts';

/**
 * Asks firmware for the disk at the next boot: UEFI by its variables, else the BMC. In words what was done, or that the
 * machine's own boot order decides, and why. Rejects only with the signal's reason.
 */
export async function bootDiskNext(parts: BmcDeviceParts): Promise<string> {
  const { sysfs } = parts;
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
  const ordered = await orderBoot(parts, { device: 'disk', persistent: false, mode });
  if (ordered.kind === 'done') return 'by the boot flags of the BMC';
  troubles.push(ordered.kind === 'none' ? 'there is no BMC' : ordered.reason);
  return `as the boot order of the machine has it, since ${troubles.join(', and ')}`;
}
