import type { Metrics } from '@ingot/daemon';
import type { ApplyOutcome } from './applier.ts';
import type { BgpNeighbor } from './neighbors.ts';

/** What is counted about FRR. */
export interface FrrMetrics {
  applied(result: ApplyOutcome['result'] | 'unreachable', durationMs: number): void;
  crashed(): void;
  neighbors(neighbors: readonly BgpNeighbor[]): void;
}

export function createFrrMetrics(metrics: Metrics): FrrMetrics {
  const results = metrics.counter({
    name: 'ingot_switch_agent_frr_applies_total',
    help: 'Times that frr.conf was compared with what FRR runs, by what came of it.',
    labels: ['result'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_switch_agent_frr_apply_seconds',
    help: 'How long that took.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  });
  const crashes = metrics.counter({
    name: 'ingot_switch_agent_frr_crashes_total',
    help: 'Reloads during which bgpd ended.',
  });
  const established = metrics.gauge({
    name: 'ingot_switch_agent_bgp_established',
    help: 'Whether the BGP session of a port is established.',
    labels: ['port', 'vrf'],
  });
  const prefixes = metrics.gauge({
    name: 'ingot_switch_agent_bgp_prefixes',
    help: 'Unicast prefixes of a BGP session.',
    labels: ['port', 'vrf', 'direction'],
  });
  let exposed: readonly BgpNeighbor[] = [];
  return {
    applied: (result, durationMs) => {
      results.inc({ result });
      seconds.observe({}, durationMs / 1000);
    },
    crashed: () => crashes.inc({}),
    neighbors: (neighbors) => {
      const now = new Set(neighbors.map(nameOf));
      for (const gone of exposed) {
        if (now.has(nameOf(gone))) continue;
        const labels = { port: gone.key, vrf: gone.vrf };
        established.remove(labels);
        for (const direction of ['sent', 'accepted'] as const) prefixes.remove({ ...labels, direction });
      }
      for (const { key, vrf, state, sentPrefixes, acceptedPrefixes } of neighbors) {
        const labels = { port: key, vrf };
        established.set(labels, state === 'established' ? 1 : 0);
        prefixes.set({ ...labels, direction: 'sent' }, sentPrefixes);
        prefixes.set({ ...labels, direction: 'accepted' }, acceptedPrefixes);
      }
      exposed = neighbors;
    },
  };
}

function nameOf({ key, vrf }: BgpNeighbor): string {
  return `${vrf} ${key}`;
}
