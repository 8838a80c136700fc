import type { Clock } from '@ingot/net';
import type { LogFields, Logger } from '@ingot/daemon';
import type { BootMetrics } from '../metrics.ts';
import { windowLimit } from '../limits/window-limit.ts';

/** A boot that fails asks for a handful of names; whoever asks for more has said what there is to say. */
const LINES_PER_CLIENT = 5;
/** A rack whose files are gone: enough to see it, and no full disk. */
const LINES = 200;
const WINDOW_MS = 10_000;
/** Clients counted in one window. */
const MAX_CLIENTS = 4_096;

/** Says at `warn` what failed, a few times for each client; the rest at `debug` and in a counter. */
export type FailureLog = (source: string, fields: LogFields, words: string) => void;

export function failureLog(components: { clock: Clock; log: Logger; metrics: BootMetrics }): FailureLog {
  const { clock, log, metrics } = components;
  const isDue = windowLimit(clock, {
    windowMs: WINDOW_MS,
    perClient: LINES_PER_CLIENT,
    total: LINES,
    maxClients: MAX_CLIENTS,
  });
  return (source, fields, words) => {
    if (isDue(source)) {
      log.warn({ ...fields, source }, words);
      return;
    }
    metrics.quieted('tftp');
    log.debug({ ...fields, source }, words);
  };
}
