import type { Clock } from '@ingot/net';
import { aborted } from '../errors.ts';

/** Runs work with the same key one after the other, in this process. */
export interface Lanes {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** Whoever waits longer is better told to come back: the client has a deadline, too. */
const MAX_LANE_WAIT_MS = 10_000;

export function createLanes(clock: Clock): Lanes {
  const ends = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const before = ends.get(key) ?? Promise.resolve();
      const own = Promise.withResolvers<void>();
      const end = before.then(() => own.promise);
      ends.set(key, end);
      const late = Promise.withResolvers<never>();
      const timer = clock.setTimeout(
        () => late.reject(aborted(`too many change the same things at once (${key}): try again later`)),
        MAX_LANE_WAIT_MS,
      );
      try {
        await Promise.race([before, late.promise]);
        timer.cancel();
        return await work();
      } finally {
        timer.cancel();
        own.resolve();
        if (ends.get(key) === end) ends.delete(key);
      }
    },
  };
}
