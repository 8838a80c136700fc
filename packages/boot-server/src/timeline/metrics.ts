import type { Metrics } from '@ingot/daemon';
import type { MachineView } from './machines.ts';
import { BOOT_STAGES, type BootStage } from './stages.ts';

/** Where the machines are, read at each scrape, and how long they were in each stage before they went on. */
export function machineMetrics(
  metrics: Metrics,
  machines: () => readonly MachineView[],
): { stageLeft(stage: BootStage, ms: number): void } {
  const count = (of: readonly MachineView[]): Map<BootStage, number> => {
    const counts = new Map<BootStage, number>(BOOT_STAGES.map((stage) => [stage, 0]));
    for (const { stage } of of) counts.set(stage, (counts.get(stage) ?? 0) + 1);
    return counts;
  };
  metrics.gauge({
    name: 'ingot_boot_server_machines',
    help: 'Machines that were heard of within a day, by how far they came.',
    labels: ['stage'],
    collect: (gauge) => {
      for (const [stage, value] of count(machines())) gauge.set({ stage }, value);
    },
  });
  metrics.gauge({
    name: 'ingot_boot_server_stuck_machines',
    help: 'Machines that are in their stage for longer than usual.',
    labels: ['stage'],
    collect: (gauge) => {
      for (const [stage, value] of count(machines().filter(({ isStuck }) => isStuck))) gauge.set({ stage }, value);
    },
  });
  const seconds = metrics.histogram({
    name: 'ingot_boot_server_stage_seconds',
    help: 'How long machines were in a stage before they went on to the next.',
    labels: ['stage'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320],
  });
  return { stageLeft: (stage, ms) => seconds.observe({ stage }, ms / 1000) };
}
