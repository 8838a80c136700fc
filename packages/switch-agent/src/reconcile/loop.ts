import type { Clock } from '@ingot/net';
import type { DesiredSwitch } from '../api.ts';
import type { PortNames } from '../naming.ts';
import type { Problems } from '../problems.ts';
import type { Reconciler } from './reconciler.ts';

export interface ReconcileLoopOptions {
  readonly reconciler: Reconciler;
  /** What is known now; nothing is done before the ports are. */
  readonly known: () => { readonly desired: DesiredSwitch | undefined; readonly names: PortNames | undefined };
  readonly periodMs: number;
  /** How long one cycle may take before it is aborted, milliseconds. */
  readonly cycleMs: number;
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
    try {
      await options.reconciler.cycle(desired, (nicName) => names.portOf(nicName), ending.signal);
      problems.clear('reconcile');
    } catch (error) {
      if (!signal.aborted) problems.report('reconcile', error);
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
