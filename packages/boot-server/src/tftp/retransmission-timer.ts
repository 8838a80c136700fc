/** When to send again. Times in milliseconds. */
export interface RetransmissionTimer {
  /** How long to wait for the next ACK. */
  readonly waitMs: number;
  /** The ACK for something sent once came after `roundTripMs`. */
  measured(roundTripMs: number): void;
  /** The wait was in vain: the next one is twice as long. */
  expired(): void;
  /** An ACK moved the transfer on. */
  progressed(): void;
}

/** RFC 6298 §2.1. */
const INITIAL_MS = 1_000;
/** Firmware polls its NIC a few times a second at worst. */
const MIN_MS = 300;
const MAX_MS = 8_000;
/** RFC 6298 §2.3. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;

/**
 * RFC 6298's estimator: `fixedMs` (the client's timeout option) replaces the estimate, but not the doubling. Samples
 * of what was sent twice must not be given (Karn's algorithm): one cannot tell which copy was answered.
 */
export function retransmissionTimer(fixedMs: number | undefined): RetransmissionTimer {
  let smoothed: number | undefined;
  let variation = 0;
  let factor = 1;
  const estimate = (): number => {
    if (fixedMs !== undefined) return fixedMs;
    return smoothed === undefined ? INITIAL_MS : Math.max(MIN_MS, smoothed + 4 * variation);
  };
  return {
    get waitMs() {
      // The client's own wish counts, however long.
      return Math.min(estimate() * factor, Math.max(MAX_MS, fixedMs ?? 0));
    },
    measured: (roundTripMs) => {
      if (smoothed === undefined) {
        smoothed = roundTripMs;
        variation = roundTripMs / 2;
        return;
      }
      variation = (1 - BETA) * variation + BETA * Math.abs(smoothed - roundTripMs);
      smoothed = (1 - ALPHA) * smoothed + ALPHA * roundTripMs;
    },
    expired: () => {
      factor *= 2;
    },
    progressed: () => {
      factor = 1;
    },
  };
}
