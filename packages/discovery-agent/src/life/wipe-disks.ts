import type { Clock, Entropy } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import type { Sysfs } from '../sysfs.ts';
import { executeWipe } from '../wipe/execute.ts';
import type { Argv } from '../wipe/method.ts';
import { wipePermit } from '../wipe/permit.ts';
import type { WipeStanding } from '../wipe/permit.ts';
import { planWipe } from '../wipe/plan.ts';
import { probeDisks } from '../wipe/probe.ts';
import type { DiskOutcome, WipeProgress } from '../wipe/report.ts';
import type { WipeOrder } from './standing.ts';
import type { Wipe, WipeHooks, WipeResult } from './wipe-order.ts';

export interface WipeDisksParts {
  readonly sysfs: Sysfs;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** How this program starts itself to read and write one disk. */
  readonly blockIo: Argv;
}

/** Erases every disk of this machine that must be, as ordered: the API is asked before the plan, and before each disk. */
export function wipeDisks(parts: WipeDisksParts): Wipe {
  const { sysfs, run, clock, entropy, blockIo } = parts;
  return async (order, { uuid, signal, confirm, progress }: WipeHooks): Promise<WipeResult> => {
    const first = standing(order, uuid);
    if (first.kind === 'refused') return first;
    const facts = await probeDisks({ sysfs, run, signal });
    // Probing many disks takes longer than a permit lasts.
    const now = await confirm();
    if (typeof now === 'string') return { kind: 'refused', reason: now };
    const granted = standing(now, uuid);
    if (granted.kind === 'refused') return granted;
    let against: string | undefined;
    const shown = new Map<string, string>();
    const report = await executeWipe(planWipe(granted.permit, facts, { blockIo }), {
      run,
      clock,
      entropy,
      signal,
      blockIo,
      onProgress(done) {
        shown.set(done.device, progressWords(done));
        progress([...shown.values()].join(', '));
      },
      async mayBegin() {
        const again = await confirm();
        if (typeof again === 'string') against ??= again;
        return typeof again === 'string' ? again : undefined;
      },
    });
    signal.throwIfAborted();
    if (against !== undefined) return { kind: 'refused', reason: against };
    if (report.verdict === 'unclean') return { kind: 'failed', failures: report.disks.flatMap(failureOf) };
    return { kind: 'done', words: report.disks.map(outcomeWords).join(', ') || 'there is no disk to erase' };
  };
}

function standing({ machine, askedAtMs }: WipeOrder, uuid: string): WipeStanding {
  return wipePermit(machine, uuid, askedAtMs);
}

function failureOf(outcome: DiskOutcome): string[] {
  return outcome.state === 'failed' ? [`${outcome.device}: ${outcome.reason}`] : [];
}

function outcomeWords(outcome: DiskOutcome): string {
  return outcome.state === 'wiped'
    ? `${outcome.device} by ${outcome.method} in ${Math.round(outcome.seconds)} s`
    : `${outcome.device} ${outcome.state}: ${outcome.reason}`;
}

function progressWords({ device, method, fraction }: WipeProgress): string {
  return `${device} ${method} ${Math.floor(fraction * 100)} %`;
}
