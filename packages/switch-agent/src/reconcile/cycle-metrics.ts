import type { Metrics } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { perPort } from '../port-metric.ts';
import type { Cycle } from './loop.ts';

/** Counts the cycles of the reconciler, and shows the ports' administrative state. */
export function createCycleMetrics(metrics: Metrics, clock: Clock): (cycle: Cycle) => void {
  const cycles = metrics.counter({
    name: 'ingot_switch_agent_cycles_total',
    help: 'Comparisons of the switch with what the API wants, by what came of them.',
    labels: ['result'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_switch_agent_cycle_seconds',
    help: 'How long one took.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
  });
  const success = metrics.gauge({
    name: 'ingot_switch_agent_last_success_timestamp_seconds',
    help: 'When the last comparison ended without any problem.',
  });
  const drift = metrics.gauge({
    name: 'ingot_switch_agent_drift_rows',
    help: 'Rows of CONFIG_DB that differed from what is wanted when the last comparison started.',
  });
  const rows = metrics.counter({
    name: 'ingot_switch_agent_rows_written_total',
    help: 'Rows of CONFIG_DB that were written or deleted.',
    labels: ['table'],
  });
  const admin = metrics.gauge({
    name: 'ingot_switch_agent_ports_admin',
    help: 'Ports by administrative state.',
    labels: ['state'],
  });
  const portAdmin = perPort(metrics, {
    name: 'ingot_switch_agent_port_admin_up',
    help: 'Whether a port is administratively up.',
  });
  return ({ report, durationMs, result, drift: differing }) => {
    cycles.inc({ result });
    seconds.observe({}, durationMs / 1000);
    if (result !== 'failed') success.set({}, clock.now() / 1000);
    if (report === undefined) return;
    drift.set({}, differing);
    for (const { changes } of report.outcome?.done ?? []) for (const { table } of changes) rows.inc({ table });
    portAdmin(new Map([...report.admin].map(([port, state]) => [port, state === 'up'])));
    const states = [...report.admin.values()];
    for (const state of ['up', 'down'] as const) {
      admin.set({ state }, states.filter((one) => one === state).length);
    }
  };
}
