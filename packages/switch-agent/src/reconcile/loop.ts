import type { Clock } from '@ingot/net';
import type { DesiredSwitch } from '../api.ts';
import type { PortNames } from '../naming.ts';
import type { Problems } from '../problems.ts';
import type { CycleReport, Reconciler } from './reconciler.ts';

/** A cycle that is over. */
export interface Cycle {
  /** Absent when it did not come to its end. */
  readonly report: CycleReport | undefined;
  readonly durationMs: number;
  /** `observed`: nothing may be changed. `failed`: it did not come to its end, or has left a problem. */
  readonly result: 'converged' | 'changed' | 'observed' | 'failed';
  /** Rows that differed. */
  readonly drift: number;
}

export interface ReconcileLoopOptions {
  readonly reconciler: Reconciler;
  /** What is known now; nothing is done before the ports are. */
  readonly known: () => { readonly desired: DesiredSwitch | undefined; readonly names: PortNames | undefined };
  readonly periodMs: number;
  /** How long one cycle may take before it is aborted, milliseconds. */
  readonly cycleMs: number;
  /** Told of each cycle, but not while nobody knows what is wanted. */
  readonly onCycle?: (cycle: Cycle) => void;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

export interface ReconcileLoop {
  /** There is news: the next cycle need not wait for its time. */
  wake(): void;
  /** Ends with the signal. */
  readonly ended: Promise<void>;
}

/** Runs one cycle after the other, never two at once, and tells what keeps them from working. */
export function startReconcileLoop(options: ReconcileLoopOptions): ReconcileLoop {
  const { clock, problems, signal } = options;
  let isWoken = false;
  let interrupt: () => void = () => {};

  const cycle = async (): Promise<void> => {
    const { desired, names } = options.known();
    if (names === undefined) return;
    const ending = new AbortController();
    const end = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    const timer = clock.setTimeout(() => {
      const reason = new Error(`the cycle was not over after ${Math.round(options.cycleMs / 1000)} s`);
      // Said at once: whatever hangs may not heed the signal.
      problems.report('reconcile', reason);
      ending.abort(reason);
    }, options.cycleMs);
    const startedMs = clock.monotonic();
    try {
      const report = await options.reconciler.cycle(desired, (nicName) => names.portOf(nicName), ending.signal);
      problems.clear('reconcile');
      if (report !== undefined) options.onCycle?.(cycleOf(report, clock.monotonic() - startedMs));
    } catch (error) {
      if (signal.aborted) return;
      problems.report('reconcile', error);
      options.onCycle?.({
        report: undefined,
        durationMs: clock.monotonic() - startedMs,
        result: 'failed',
        drift: 0,
      });
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', end);
    }
  };

  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = clock.setTimeout(() => interrupt(), ms);
      interrupt = () => {
        timer.cancel();
        resolve();
      };
      if (isWoken || signal.aborted) interrupt();
    });

  const run = async (): Promise<void> => {
    signal.addEventListener('abort', () => interrupt(), { once: true });
    while (!signal.aborted) {
      const startedMs = clock.monotonic();
      isWoken = false;
      await cycle();
      await rest(Math.max(0, startedMs + options.periodMs - clock.monotonic()));
    }
  };

  return {
    wake: () => {
      isWoken = true;
      interrupt();
    },
    ended: run(),
  };
}

function cycleOf(report: CycleReport, durationMs: number): Cycle {
  const { plan, outcome } = report;
  const drift = plan.actions.reduce((sum, { changes }) => sum + changes.length, 0);
  const isWrong = plan.problems.length > 0 || (outcome?.problems.length ?? 0) > 0;
  const good = outcome === undefined ? 'observed' : drift === 0 ? 'converged' : 'changed';
  return { report, durationMs, drift, result: isWrong ? 'failed' : good };
}
