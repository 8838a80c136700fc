import type { Clock } from '@ingot/net';

/**
 * Calls `round` at once and then every `periodMs`, one at a time, until the signal: a round that takes longer than the
 * period is followed by the next one at once, never by two. Resolves when the signal has ended it; `round` handles its
 * own errors.
 */
export async function every(
  clock: Clock,
  periodMs: number,
  signal: AbortSignal,
  round: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const startedMs = clock.monotonic();
    await round();
    if (!(await pause(clock, Math.max(0, startedMs + periodMs - clock.monotonic()), signal))) return;
  }
}

/** Sleeps; false when the signal ended it. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
