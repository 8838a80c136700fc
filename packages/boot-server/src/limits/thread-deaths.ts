import type { Clock } from '@ingot/net';

/** A thread that dies this often … */
const MAX_DEATHS = 3;
/** … within this time is not started again. */
const WITHIN_MS = 60_000;

/** Tells a thread that died by chance from one that cannot live here. */
export interface ThreadDeaths {
  /** Counts one; whether it is no use to start the thread again. */
  died(): boolean;
}

export function threadDeaths(clock: Clock): ThreadDeaths {
  let times: readonly number[] = [];
  return {
    died: () => {
      const now = clock.monotonic();
      times = [...times.filter((time) => now - time <= WITHIN_MS), now];
      return times.length >= MAX_DEATHS;
    },
  };
}
