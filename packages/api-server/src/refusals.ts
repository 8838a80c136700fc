import { Refusal, type OnRefusal } from '@ingot/api';
import type { DaemonContext } from '@ingot/daemon';

/** One line in so long for each kind: whoever causes them causes thousands. */
const SAY_EVERY_MS = 60_000;

const WORDS: Readonly<Record<Refusal, string>> = {
  [Refusal.Full]: 'a connection was refused: all places are taken by clients with something to do',
  [Refusal.MadeRoom]: 'a connection without a call was closed to make room for another one',
  [Refusal.Stalled]: 'a connection was closed: its client does not take its answers',
  [Refusal.Pipelined]: 'a connection was closed: more requests at once on HTTP/1.1 than any client sends',
};

/** Counts refused connections, and says what happens, with how often since it was said last. */
export function refusalObserver({
  metrics,
  log,
  clock,
}: Pick<DaemonContext<unknown>, 'metrics' | 'log' | 'clock'>): OnRefusal {
  const counter = metrics.counter({
    name: 'ingot_api_refused_connections_total',
    help: 'Connections that were refused or closed to keep the server within its limits, by reason.',
    labels: ['reason'],
  });
  const said = new Map<Refusal, { at: number; count: number }>();
  return (refusal, peer) => {
    counter.inc({ reason: refusal });
    const last = said.get(refusal);
    if (last !== undefined && clock.monotonic() - last.at < SAY_EVERY_MS) {
      last.count += 1;
      return;
    }
    said.set(refusal, { at: clock.monotonic(), count: 0 });
    log.warn({ event: 'api.refused', reason: refusal, peer, more: last?.count ?? 0 }, WORDS[refusal]);
  };
}
