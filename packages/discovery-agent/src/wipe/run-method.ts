import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { withDeadline } from '../deadline.ts';
import { parseAtaSanitizeStatus } from './ata-identify.ts';
import type { BlockDisk } from './block-disk.ts';
import { NvmeSanitizeState } from './facts.ts';
import { MethodName } from './method.ts';
import type { Argv, Method, SanitizeKind } from './method.ts';
import { parseNvmeSanitizeLog } from './nvme-identify.ts';

/** What a step needs of the world. */
export interface StepParts {
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Told how far a step is. */
export type Progress = (fraction: number, secondsLeft: number | undefined) => void;

const progressEveryMs = 5_000;
const sanitizePollMs = 2_000;
/** Of a question to a disk, and of a command that changes only a setting. */
const shortCommandMs = 90_000;
/** A drive that is busy with itself may miss a question or two. */
const unreadableAnswers = 5;
/** A fraction that is only estimated does not get beyond this before the end. */
const nearlyDone = 0.99;

/** Runs short commands one after another; rejects with the first that fails. */
export async function runShort({ run, clock, signal }: StepParts, commands: readonly Argv[]): Promise<void> {
  for (const [file = '', ...args] of commands) {
    const what = [file, ...args].join(' ');
    await withDeadline({ clock, what, timeoutMs: shortCommandMs, signal }, (inner) =>
      run(file, args, { timeoutMs: shortCommandMs, signal: inner }),
    );
  }
}

/**
 * Carries out a method's commands and waits for what they have begun. Rejects with the reason when that fails, or hangs.
 * What the method promised is not verified here.
 *
 * @param disk the open disk that an overwrite goes to
 * @param controller of NVMe, or the disk: where a sanitize is followed
 */
export async function runMethod(
  parts: StepParts,
  method: Method,
  disk: { readonly sizeBytes: number; readonly open: BlockDisk },
  controller: string,
  progress: Progress,
): Promise<void> {
  const { run, clock, signal } = parts;
  const timeoutMs = method.deadlineSeconds * 1000;
  const startedMs = clock.monotonic();
  const elapsed = (): number => (clock.monotonic() - startedMs) / 1000;
  const estimate = (): void => {
    const fraction = Math.min(nearlyDone, elapsed() / method.estimateSeconds);
    progress(fraction, Math.max(0, Math.ceil(method.estimateSeconds - elapsed())));
  };
  progress(0, method.estimateSeconds);
  await withDeadline({ clock, what: `${method.name} of ${controller}`, timeoutMs, signal }, async (inner) => {
    if (method.name === MethodName.Overwrite) {
      await disk.open.zero([{ offset: 0, length: disk.sizeBytes }], (bytes) => {
        const fraction = bytes / disk.sizeBytes;
        progress(Math.min(nearlyDone, fraction), Math.ceil((elapsed() / fraction) * (1 - fraction)));
      });
      return;
    }
    const ticker = clock.setInterval(estimate, progressEveryMs);
    // A command that hangs never gets as far as `finally`.
    inner.addEventListener('abort', () => ticker.cancel());
    try {
      for (const [file = '', ...args] of method.commands) await run(file, args, { timeoutMs, signal: inner });
    } finally {
      ticker.cancel();
    }
    if (method.completion !== 'commands')
      await awaitSanitize({ run, clock, signal: inner }, method.completion, controller, (fraction) =>
        progress(fraction, fraction > 0 ? Math.ceil((elapsed() / fraction) * (1 - fraction)) : method.estimateSeconds),
      );
  });
}

/**
 * Waits until a sanitize that runs inside a disk is over, ours or that of an earlier life.
 *
 * Rejects when it failed, or when the disk does not say how it stands.
 */
export async function awaitSanitize(
  { run, clock, signal }: StepParts,
  kind: SanitizeKind,
  device: string,
  progress: (fraction: number) => void,
): Promise<void> {
  let unreadable = 0;
  for (;;) {
    const state = await sanitizeState(run, kind, device, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      unreadable += 1;
      if (unreadable >= unreadableAnswers) throw error;
      return undefined;
    });
    if (state?.kind === 'over') return;
    if (state?.kind === 'failed') throw new Error(`${device} says that the sanitize failed`);
    if (state?.kind === 'running') {
      unreadable = 0;
      progress(state.fraction);
    }
    await clock.sleep(sanitizePollMs, signal);
  }
}

type SanitizeProgress =
  | { readonly kind: 'over' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'running'; readonly fraction: number };

async function sanitizeState(
  run: RunCommand,
  kind: SanitizeKind,
  device: string,
  signal: AbortSignal,
): Promise<SanitizeProgress> {
  const options = { timeoutMs: shortCommandMs, signal };
  if (kind === 'nvme-sanitize') {
    const log = parseNvmeSanitizeLog(await run('nvme', ['sanitize-log', device, '-o', 'json'], options));
    if (log === undefined) throw new Error(`${device} gives no sanitize log that can be read`);
    if (log.state === NvmeSanitizeState.InProgress) return { kind: 'running', fraction: log.fraction };
    return { kind: log.state === NvmeSanitizeState.Failed ? 'failed' : 'over' };
  }
  const status = parseAtaSanitizeStatus(await run('hdparm', ['--sanitize-status', device], options));
  if (status === undefined) throw new Error(`${device} gives no sanitize status that can be read`);
  if (status.state === 'in-progress') return { kind: 'running', fraction: status.fraction ?? 0 };
  return { kind: status.state === 'failed' ? 'failed' : 'over' };
}
