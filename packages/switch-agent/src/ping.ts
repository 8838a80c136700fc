import { retrySchedule, withRetry, type Clock, type Entropy } from '@ingot/net';
import { isUnreachable } from './api.ts';
import { every } from './loop.ts';
import type { Problems } from './problems.ts';

export interface PingOptions {
  /** Tells the API that the agent runs; rejects when it could not be told. */
  readonly ping: (intervalMs: number) => Promise<void>;
  readonly onFailed: () => void;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

const INTERVAL_MS = 5 * 60_000;
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 60_000;

/** Tells the API every five minutes that the agent runs, until the signal. */
export function runPing({ ping, onFailed, clock, entropy, problems, signal }: PingOptions): Promise<void> {
  return every(clock, INTERVAL_MS, signal, async () => {
    try {
      await withRetry(() => ping(INTERVAL_MS), {
        schedule: retrySchedule({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS, entropy }),
        clock,
        signal,
        onRetry: ({ error }) => {
          onFailed();
          problems.report('ping', error, { tellApi: !isUnreachable(error) });
        },
      });
      problems.clear('ping');
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
}
