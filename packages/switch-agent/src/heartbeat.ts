import type { Clock } from '@ingot/net';
import type { SwitchApi } from './api.ts';
import type { BgpSessions } from './bgp-sessions.ts';
import { statesFor } from './desired.ts';
import type { DesiredState } from './desired-state.ts';
import type { KnownPorts } from './known-ports.ts';
import type { AgentMetrics } from './metrics.ts';
import type { Problems } from './problems.ts';
import type { StatusBoard } from './status/board.ts';

export interface HeartbeatOptions {
  /** The switch. */
  readonly id: string;
  readonly api: Pick<SwitchApi, 'heartbeat'>;
  readonly desired: Pick<DesiredState, 'now' | 'tookMs' | 'failed'>;
  readonly ports: Pick<KnownPorts, 'names' | 'tookMs' | 'links'>;
  readonly bgp: Pick<BgpSessions, 'of'> | undefined;
  readonly clock: Clock;
  readonly metrics: Pick<AgentMetrics, 'portStates' | 'beat'>;
  readonly board: Pick<StatusBoard, 'links' | 'beat'>;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

/** Tells the API how the switch is, with what is known at that moment; what is not known is left out. Never rejects. */
export async function sendHeartbeat(options: HeartbeatOptions): Promise<void> {
  const { desired, ports, bgp, clock, metrics, board, problems } = options;
  const startedMs = clock.monotonic();
  try {
    const links = await ports.links();
    if (links !== undefined) {
      metrics.portStates(links);
      board.links(links);
    }
    const portStates = statesFor(desired.now, links);
    await options.api.heartbeat(
      {
        id: options.id,
        durationMs: clock.monotonic() - startedMs + ports.tookMs + desired.tookMs,
        error: problems.summary(),
        portStates,
        bgpStates: ports.names === undefined ? new Map() : (bgp?.of([...portStates.keys()], ports.names) ?? new Map()),
      },
      options.signal,
    );
    problems.clear('heartbeat');
    metrics.beat();
    board.beat();
  } catch (error) {
    desired.failed('heartbeat', error);
  }
}
