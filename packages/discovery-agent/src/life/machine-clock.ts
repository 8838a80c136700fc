import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import type { Reporter } from './reporter.ts';

/**
 * Larger differences make fresh certificates look not yet valid and tokens expired. Board clocks are off by whole hours
 * when an operating system kept local time in them.
 */
const toleranceMs = 60_000;

/** Sets this machine's clock to the boot server's when the two are further apart than a minute. Says so. */
export async function followServerTime(
  dateMs: number,
  { clock, run, reporter, signal }: { clock: Clock; run: RunCommand; reporter: Reporter; signal: AbortSignal },
): Promise<void> {
  const differenceMs = dateMs - clock.now();
  if (Math.abs(differenceMs) <= toleranceMs) return;
  const seconds = Math.round(differenceMs / 1000);
  try {
    await run('date', ['-u', '-s', `@${Math.floor(dateMs / 1000)}`], { timeoutMs: 5_000, signal });
    reporter.say(
      'config',
      `clock was ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} the boot server, set`,
    );
  } catch (error) {
    signal.throwIfAborted();
    reporter.say('config', `clock differs by ${seconds} s from the boot server and cannot be set: ${reasonOf(error)}`);
  }
}
