import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import type { Reporter } from './reporter.ts';

export interface ClockParts {
  readonly clock: Clock;
  readonly run: RunCommand;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A time that somebody gave: milliseconds since 1970, and how far off this machine may be before it is set. */
export interface GivenTime {
  /** Who gave it, for people: `the boot server`. */
  readonly by: string;
  readonly timeMs: number;
  readonly toleranceMs: number;
}

/** A clock that says less has lost its battery, and whoever follows it finds no certificate valid. */
const earliestMs = Date.UTC(2026, 0, 1);

/**
 * Sets this machine's clock, to the second, where it is further off than tolerated. Says so. Never throws for it.
 *
 * @returns whether the clock agrees with that time now
 */
export async function followTime({ by, timeMs, toleranceMs }: GivenTime, parts: ClockParts): Promise<boolean> {
  const { clock, run, reporter, signal } = parts;
  const differenceMs = timeMs - clock.now();
  if (Math.abs(differenceMs) <= toleranceMs) return true;
  if (timeMs < earliestMs) {
    reporter.say('config', `${by} says ${new Date(timeMs).toISOString()}, which is long past: not followed`);
    return false;
  }
  const seconds = Math.round(differenceMs / 1000);
  try {
    await run('date', ['-u', '-s', `@${Math.floor(timeMs / 1000)}`], { timeoutMs: 5_000, signal });
    reporter.say('config', `clock was ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} ${by}, set`);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    reporter.say('config', `clock differs by ${seconds} s from ${by} and cannot be set: ${reasonOf(error)}`);
    return false;
  }
}
