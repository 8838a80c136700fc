import type { Metrics } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { machineViews, type MachineView } from './machines.ts';
import { machineMetrics } from './metrics.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** The machines that boot here, as the log tells of them. */
export interface MachineWatch {
  readonly timeline: Timeline;
  machines(): MachineView[];
}

export function watchMachines(clock: Clock, metrics: Metrics): MachineWatch {
  const machines = (): MachineView[] => machineViews(timeline.tracks(), clock.monotonic());
  const counted = machineMetrics(metrics, machines);
  const timeline = createTimeline({ clock, onStageLeft: (stage, ms) => counted.stageLeft(stage, ms) });
  return { timeline, machines };
}
