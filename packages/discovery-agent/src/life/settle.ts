import type { Clock } from '@ingot/net';
import type { Sysfs } from '../sysfs.ts';

const lookEveryMs = 200;
/** Looks in a row without a change that count as settled. */
const quietLooks = 3;
const maxWaitMs = 30_000;

/**
 * Waits until drivers are loaded and the disks behind them have shown up: a NVMe controller answers up to seconds after
 * its driver took it. After 30 s what is there counts.
 *
 * @returns false when the time ran out
 */
export async function devicesSettled(
  sysfs: Sysfs,
  driversLoaded: () => boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = clock.monotonic() + maxWaitMs;
  let before = '';
  let quiet = 0;
  while (quiet < quietLooks) {
    if (clock.monotonic() >= deadline) return false;
    const now = [...sysfs.list('/sys/block'), ...sysfs.list('/sys/class/net')].join(' ');
    const nvmeBusy = sysfs
      .list('/sys/class/nvme')
      .some((name) => ['new', 'connecting', 'resetting'].includes(sysfs.text(`/sys/class/nvme/${name}/state`) ?? ''));
    quiet = driversLoaded() && !nvmeBusy && now === before ? quiet + 1 : 0;
    before = now;
    await clock.sleep(lookEveryMs, signal);
  }
  return true;
}
