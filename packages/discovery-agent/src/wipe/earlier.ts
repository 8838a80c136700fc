import { withDeadline } from '../deadline.ts';
import type { WipeUnit } from './plan.ts';
import type { WipeProgress } from './report.ts';
import { awaitSanitize } from './run-method.ts';
import type { StepParts } from './run-method.ts';

export interface EarlierParts extends StepParts {
  /** Who erases something on one of these nodes, in words. */
  readonly atWork: (nodes: readonly string[]) => readonly string[];
  readonly onProgress: (progress: WipeProgress) => void;
}

/** A program of an earlier life is waited for as long as the slowest method may take; looked for every so often. */
const earlierTimeoutMs = 43_200_000;
const lookEveryMs = 10_000;

/** What an earlier life has begun, a program or the disk itself, is over before anything new is begun. */
export async function awaitEarlier(parts: EarlierParts, unit: WipeUnit, where: string): Promise<void> {
  const { clock } = parts;
  const tell = (fraction: number): void => {
    const method = 'waiting for an earlier erase';
    for (const { device } of unit.disks) parts.onProgress({ device, method, fraction, secondsLeft: undefined });
  };
  const nodes = [where, ...unit.disks.map(({ device }) => device)];
  const what = parts.atWork(nodes).join(', ');
  if (what !== '')
    await withDeadline({ clock, what, timeoutMs: earlierTimeoutMs, signal: parts.signal }, async (signal) => {
      while (parts.atWork(nodes).length > 0) {
        tell(0);
        await clock.sleep(lookEveryMs, signal);
      }
    });
  if (unit.awaitFirst !== undefined) await awaitSanitize(parts, unit.awaitFirst, where, tell);
}
