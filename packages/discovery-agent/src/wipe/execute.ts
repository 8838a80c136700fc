import type { Clock, Entropy } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { openSysfs } from '../sysfs.ts';
import { programsAtWork } from './at-work.ts';
import { openBlockDisk } from './block-disk.ts';
import type { Argv } from './method.ts';
import { permitMaxAgeMs } from './permit.ts';
import type { WipePermit } from './permit.ts';
import type { WipePlan, WipeUnit } from './plan.ts';
import { wipeReport } from './report.ts';
import type { DiskOutcome, WipeProgress, WipeReport } from './report.ts';
import { wipeUnit } from './wipe-unit.ts';

export interface ExecuteParts {
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal: AbortSignal;
  /** How this program starts itself for `block-io`, as given to the plan. */
  readonly blockIo: Argv;
  readonly onProgress: (progress: WipeProgress) => void;
  /** Asked right before the disks of each unit are touched: in words why they may not be, undefined when they may. */
  readonly mayBegin?: () => Promise<string | undefined>;
  /** Units at work at a time; 8 unless told, each with a process of some 20 MB. */
  readonly parallel?: number;
}

const defaultParallel = 8;

/**
 * Carries out a plan. What goes wrong with a disk is in the report, and the others go on; when the signal is aborted,
 * what is not yet wiped has failed. A disk that sanitizes itself does so to the end, and the next run waits for it.
 *
 * Rejects with `AgentError` (`WipeRefused`), with nothing touched, when the permit is older than `permitMaxAgeMs`.
 */
export async function executeWipe(plan: WipePlan<WipePermit>, parts: ExecuteParts): Promise<WipeReport> {
  const { run, clock, entropy, signal, blockIo, onProgress } = parts;
  const ageMs = plan.permission.ageMs(clock.monotonic());
  if (ageMs > permitMaxAgeMs)
    throw new AgentError(
      AgentErrorCode.WipeRefused,
      `the permit to wipe is ${Math.round(ageMs / 1000)} s old; ask the API again`,
    );
  const machine = openSysfs('/');
  const unitParts = {
    run,
    clock,
    entropy,
    signal,
    onProgress,
    atWork: (nodes: readonly string[]) => programsAtWork(machine, nodes),
    open: (device: string) => openBlockDisk({ device, command: blockIo, clock, signal }),
  };
  const outcomes: DiskOutcome[] = [
    ...plan.skipped.map(({ device, reason }) => ({ device, state: 'skipped' as const, reason })),
    ...plan.blocked.map(({ device, reason }) => ({ device, state: 'failed' as const, reason, attempts: [] })),
  ];
  const queue: WipeUnit[] = [...plan.units];
  const work = async (): Promise<void> => {
    for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
      const against = await objection(parts);
      if (against === undefined) outcomes.push(...(await wipeUnit(unitParts, unit)));
      else
        for (const { device } of unit.disks) outcomes.push({ device, state: 'failed', reason: against, attempts: [] });
    }
  };
  await Promise.all(Array.from({ length: parts.parallel ?? defaultParallel }, work));
  return wipeReport(outcomes);
}

async function objection({ mayBegin }: ExecuteParts): Promise<string | undefined> {
  try {
    return await mayBegin?.();
  } catch (error) {
    return reasonOf(error);
  }
}
