import type { Clock } from '@ingot/net';

/**
 * Keeps a configuration that FRR has refused from being tried at every cycle: each try resets what sessions it touches.
 * A different configuration is tried at once, and so is the same one when FRR does not run what it ran after the last try.
 */
export interface Holds {
  /**
   * The problems of the last try, as long as it is too early for the next; undefined when `text` may be tried.
   * `differences` is what keeps it from running.
   */
  of(text: string, differences: string): readonly string[] | undefined;
  hold(text: string, problems: readonly string[]): void;
  clear(): void;
}

const FIRST_MS = 60_000;
const LONGEST_MS = 15 * 60_000;

interface Held {
  readonly text: string;
  readonly problems: readonly string[];
  readonly untilMs: number;
  /** What was different when it was first asked for. */
  differences?: string;
}

export function createHolds(clock: Clock): Holds {
  let held: Held | undefined;
  let pauseMs = 0;
  return {
    of: (text, differences) => {
      if (held?.text !== text || clock.monotonic() >= held.untilMs) return undefined;
      held.differences ??= differences;
      return held.differences === differences ? held.problems : undefined;
    },
    hold: (text, problems) => {
      pauseMs = held?.text === text ? Math.min(pauseMs * 2, LONGEST_MS) : FIRST_MS;
      held = { text, problems, untilMs: clock.monotonic() + pauseMs };
    },
    clear: () => {
      held = undefined;
    },
  };
}
