import type { Clock } from './clock.ts';
import type { Entropy } from './entropy.ts';

/** How delays grow. */
export interface RetryOptions {
  /** First delay, milliseconds, > 0. */
  readonly initialMs: number;
  /** No delay is longer, milliseconds, >= initialMs. */
  readonly maxMs: number;
  /** Growth from one delay to the next, >= 1. Default 2. */
  readonly factor?: number;
  /** Share of each delay that is left to chance, 0 to 1. Default 0.5: a delay of d becomes one in (d/2, d]. */
  readonly jitter?: number;
  /** Number of delays before giving up, that is, of tries minus one. Default: never give up. */
  readonly retries?: number;
  readonly entropy: Entropy;
}

/** What `onRetry` is told. */
export interface RetryNotice {
  readonly error: unknown;
  /** The try that failed, from 1. */
  readonly attempt: number;
  /** How long until the next, milliseconds. */
  readonly delayMs: number;
}

export interface WithRetryOptions {
  /** Delays in milliseconds; its end is the end of the patience. A fresh `retrySchedule` as a rule. */
  readonly schedule: Iterable<number>;
  readonly clock: Clock;
  /** Ends the waiting at once: the result rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** False for an error that trying again cannot mend. Default: always true. */
  readonly retryable?: (error: unknown) => boolean;
  readonly onRetry?: (notice: RetryNotice) => void;
}

// One part in 2^32 is finer than any timer.
const RESOLUTION = 2 ** 32;

/**
 * Delays for exponential backoff with jitter, so that a rack which lost its API does not come back in step.
 * Throws RangeError when the options make no sense.
 */
export function retrySchedule(options: RetryOptions): Generator<number, void, void> {
  const { initialMs, maxMs, factor = 2, jitter = 0.5, retries = Number.POSITIVE_INFINITY } = options;
  if (!(initialMs > 0 && maxMs >= initialMs && factor >= 1 && jitter >= 0 && jitter <= 1 && retries >= 0)) {
    throw new RangeError(
      'a retry schedule needs 0 < initialMs <= maxMs, factor >= 1, 0 <= jitter <= 1 and retries >= 0, ' +
        `not ${JSON.stringify({ initialMs, maxMs, factor, jitter, retries })}`,
    );
  }
  return delays({ initialMs, maxMs, factor, jitter, retries, entropy: options.entropy });
}

function* delays(options: Required<RetryOptions>): Generator<number, void, void> {
  let delayMs = options.initialMs;
  for (let retry = 0; retry < options.retries; retry += 1) {
    const chance = options.entropy.int(RESOLUTION) / RESOLUTION;
    yield delayMs * (1 - options.jitter * chance);
    delayMs = Math.min(delayMs * options.factor, options.maxMs);
  }
}

/** Calls `fn` until it succeeds; rejects with its last error, or with the reason of the abort. */
export async function withRetry<T>(fn: (attempt: number) => Promise<T>, options: WithRetryOptions): Promise<T> {
  const { clock, signal } = options;
  const schedule = options.schedule[Symbol.iterator]();
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await fn(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (options.retryable?.(error) === false) throw error;
      const next = schedule.next();
      if (next.done === true) throw error;
      options.onRetry?.({ error, attempt, delayMs: next.value });
      await clock.sleep(next.value, signal);
    }
  }
}
