import type { Clock } from '@ingot/net';

/**
 * Keeps a configuration that FRR has refused from being tried at every cycle: each try resets what sessions it touches.
 * A different configuration is tried at once.
 */
export interface Holds {
  /** The problems of the last try, as long as it is too early for the next; undefined when `text` may be tried. */
  of(text: string): readonly string[] | undefined;
  hold(text: string, problems: readonly string[]): void;
  clear(): void;
}

const FIRST_MS = 60_000;
const LONGEST_MS = 15 * 60_000;

export function createHolds(clock: Clock): Holds {
  let held: { readonly text: string; readonly problems: readonly string[]; readonly untilMs: number } | undefined;
  let pauseMs = 0;
  return {
    of: (text) => (held?.text === text && clock.monotonic() < held.untilMs ? held.problems : undefined),
    hold: (text, problems) => {
      pauseMs = held?.text === text ? Math.min(pauseMs * 2, LONGEST_MS) : FIRST_MS;
      held = { text, problems, untilMs: clock.monotonic() + pauseMs };
    },
    clear: () => {
      held = undefined;
    },
  };
}
