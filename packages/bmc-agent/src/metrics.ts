import type { Metrics } from '@ingot/daemon';

/** What the worker counts. */
export interface BmcMetrics {
  /** `result` is `done` or the code of an error; `seconds` from its beginning to its end, without waiting. */
  carriedOut(command: string, result: string, seconds: number): void;
  acknowledgementFailed(): void;
  stream(isOpen: boolean): void;
}

/** Counts what `runReports` found. */
export function createReportMetrics(metrics: Metrics): (answered: number, silent: number) => void {
  const gauge = metrics.gauge({
    name: 'ingot_bmc_inventory',
    help: 'BMCs of the inventory at the last look.',
    labels: ['state'],
  });
  return (answered, silent) => {
    gauge.set({ state: 'answered' }, answered);
    gauge.set({ state: 'silent' }, silent);
  };
}

export function createBmcMetrics(metrics: Metrics, waiting: () => number): BmcMetrics {
  const commands = metrics.counter({
    name: 'ingot_bmc_commands_total',
    help: 'Commands carried out, by result.',
    labels: ['command', 'result'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_bmc_command_seconds',
    help: 'How long commands took.',
    labels: ['command'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80],
  });
  const acknowledgements = metrics.counter({
    name: 'ingot_bmc_acknowledgement_failures_total',
    help: 'Tries to tell the API the result of a command that failed.',
  });
  const stream = metrics.gauge({ name: 'ingot_bmc_stream', help: '1 while the API can give commands.' });
  metrics.gauge({
    name: 'ingot_bmc_commands_waiting',
    help: 'Commands that have not begun.',
    collect: (gauge) => gauge.set({}, waiting()),
  });
  return {
    carriedOut(command, result, took) {
      commands.inc({ command, result });
      seconds.observe({ command }, took);
    },
    acknowledgementFailed: () => acknowledgements.inc({}),
    stream: (isOpen) => stream.set({}, isOpen ? 1 : 0),
  };
}
