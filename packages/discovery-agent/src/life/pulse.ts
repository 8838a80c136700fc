import type { Clock } from '@ingot/net';

/**
 * Whether the agent does what it is there for. Each strand of its life says within what time it will be heard of again;
 * one that is not has stalled, even if the event loop still turns.
 */
export interface Pulse {
  /** The strand is alive, and will say so again within `withinMs`. */
  beat(strand: string, withinMs: number): void;
  /** The strand has come to its end, and owes nothing. */
  rest(strand: string): void;
  /** The strand that is overdue; undefined while all is well. */
  stalled(): string | undefined;
}

export function createPulse(clock: Clock): Pulse {
  const dueMs = new Map<string, number>();
  return {
    beat: (strand, withinMs) => void dueMs.set(strand, clock.monotonic() + withinMs),
    rest: (strand) => void dueMs.delete(strand),
    stalled: () => [...dueMs].find(([, due]) => clock.monotonic() > due)?.[0],
  };
}
