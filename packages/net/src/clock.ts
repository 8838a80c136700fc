/** A timer that was set on a `Clock`. */
export interface Timer {
  /** Takes the timer back; harmless when it has fired or was cancelled before. */
  cancel(): void;
}

/**
 * Time as a component, so that a test can own it (`MockClock`) and a service never reaches for `Date` or `setTimeout`.
 * All times are in milliseconds.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. May jump (NTP): never measure a duration with it. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `signal.reason` as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once, after `ms`. */
  setTimeout(fn: () => void, ms: number): Timer;
  /** Calls `fn` every `ms` (at least 1) until cancelled. */
  setInterval(fn: () => void, ms: number): Timer;
}
