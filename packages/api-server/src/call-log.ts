import type { CallRecord } from '@ingot/api';
import type { DaemonContext } from '@ingot/daemon';

/** Lines about failed calls in a minute; the counter has them all. */
const MAX_LINES = 1_000;
const COUNTED_FOR_MS = 60_000;

/** Counts and times every call, and logs those that the operator can do something about, so many of them. */
export function callObserver({
  metrics,
  log,
  clock,
}: Pick<DaemonContext<unknown>, 'metrics' | 'log' | 'clock'>): (record: CallRecord) => void {
  const calls = metrics.counter({
    name: 'ingot_api_calls_total',
    help: 'Calls by method and status code.',
    labels: ['method', 'code'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_api_call_seconds',
    help: 'How long calls took, streams included.',
    labels: ['method'],
  });
  let minute = { since: clock.monotonic(), lines: 0, left: 0 };
  const hasRoom = (): boolean => {
    const now = clock.monotonic();
    if (now - minute.since >= COUNTED_FOR_MS) {
      const { left } = minute;
      minute = { since: now, lines: 0, left: 0 };
      if (left > 0)
        log.warn({ event: 'api.calls', left }, `${left} more calls have failed: ingot_api_calls_total has all`);
    }
    minute.lines += 1;
    if (minute.lines > MAX_LINES) minute.left += 1;
    return minute.lines <= MAX_LINES;
  };
  return ({ method, peer, requestId, durationMs, code, error }) => {
    calls.inc({ method, code });
    seconds.observe({ method }, durationMs / 1000);
    const fields = { event: 'api.call', method, peer, requestId, code, ms: Math.round(durationMs) };
    // Whoever calls too often is in the log already, and not once for each call.
    if (code === 'Ok' || code === 'Canceled' || error?.retryAfterMs !== undefined) log.debug(fields, method);
    else if (!hasRoom()) return;
    else if (code === 'Internal' || code === 'Unknown') log.error({ ...fields, err: error }, `${method} failed`);
    else log.warn({ ...fields, reason: error?.message }, `${method}: ${code}: ${error?.message ?? ''}`);
  };
}
