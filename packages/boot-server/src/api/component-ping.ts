import { retrySchedule, withRetry, type Clock, type Entropy } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';

/** A sign of life, as the API keeps the last one of every component. */
export interface ComponentPing {
  /** Host name: one boot server a host. */
  readonly identifier: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** When the API may expect the next one, milliseconds. */
  readonly intervalMs: number;
}

export interface ComponentApi {
  /** Rejects with BootServerError API_AWAY or API_REFUSED, or with the reason of `signal`. */
  ping(ping: ComponentPing, signal: AbortSignal): Promise<void>;
}

export interface ComponentPings {
  /** Ends the pings; one that is under way is aborted. */
  stop(): Promise<void>;
}

/** What upstream's components promise, and its dashboards expect. */
const INTERVAL_MS = 5 * 60_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Tells the API that this boot server lives: at once, and then every 5 minutes. A ping that fails is tried again with
 * growing delays, and said once for each new reason, since the machines boot without it.
 */
export function startComponentPings(components: {
  api: ComponentApi;
  identifier: string;
  version: string;
  clock: Clock;
  entropy: Entropy;
  log: Logger;
}): ComponentPings {
  const { api, identifier, version, clock, entropy, log } = components;
  const stopping = new AbortController();
  const { signal } = stopping;
  const ping: ComponentPing = { identifier, version, startedAtMs: clock.now(), intervalMs: INTERVAL_MS };
  let trouble: string | undefined;

  const pingUntilHeard = async (): Promise<void> => {
    await withRetry(() => api.ping(ping, signal), {
      schedule: retrySchedule({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS, entropy }),
      clock,
      signal,
      onRetry: ({ error }) => {
        const words = wordsOf(error);
        if (words !== trouble)
          log.warn(
            { event: 'api.ping-failed', err: error },
            `the API does not hear that this boot server lives: ${words}`,
          );
        trouble = words;
      },
    });
    if (trouble !== undefined) log.info({ event: 'api.ping' }, 'the API hears again that this boot server lives');
    trouble = undefined;
  };
  const run = async (): Promise<void> => {
    try {
      for (;;) {
        await pingUntilHeard();
        await clock.sleep(INTERVAL_MS, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
