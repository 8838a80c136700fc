import type { Logger } from '@ingot/daemon';
import { retrySchedule, type Clock, type Entropy } from '@ingot/net';
import type { BmcApi } from './api.ts';
import { reasonOf } from './errors.ts';

export interface PingsOptions {
  readonly api: Pick<BmcApi, 'ping'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const INTERVAL_MS = 300_000;
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 60_000;

/** Tells the API that this worker is there, at once and every five minutes, until the signal. Never rejects. */
export async function runPings({ api, clock, entropy, log, signal }: PingsOptions): Promise<void> {
  const startedMs = clock.now();
  const fresh = (): Generator<number, void, void> =>
    retrySchedule({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS, entropy });
  let delays = fresh();
  let said = '';
  while (!signal.aborted) {
    let pauseMs = INTERVAL_MS;
    try {
      await api.ping(startedMs, INTERVAL_MS, signal);
      if (said !== '') log.info({}, 'the API knows of this worker again');
      said = '';
      delays = fresh();
    } catch (error) {
      if (signal.aborted) return;
      const reason = reasonOf(error);
      if (said !== reason) log.warn({ reason }, 'the API does not know of this worker');
      said = reason;
      pauseMs = delays.next().value ?? LONGEST_RETRY_MS;
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
