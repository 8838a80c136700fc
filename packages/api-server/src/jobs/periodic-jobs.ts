import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import type { Sql } from '../store/database.ts';
import { createLease } from '../store/lease.ts';

/** Work for the whole of the servers that share a database: one of them does it. It must bear being done twice. */
export interface PeriodicJob {
  /** For the log: `sweep-tokens`. */
  readonly name: string;
  /** From the end of one run to the start of the next, and at once when this server takes over. */
  readonly everyMs: number;
  /** `signal` ends when this server stops, or has lost the right. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PeriodicJobsOptions {
  readonly session: Sql;
  readonly clock: Clock;
  readonly log: Logger;
  /** This server, for this run. */
  readonly holder: string;
  readonly jobs: readonly PeriodicJob[];
}

/** How long nobody does the periodic work when the server that did it was killed. */
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

interface State {
  readonly job: PeriodicJob;
  dueAt: number;
  running: Promise<void> | undefined;
}

/** Runs jobs at whichever server holds the lease; another takes over when that ends. */
export function startPeriodicJobs({ session, clock, log, holder, jobs }: PeriodicJobsOptions): AsyncDisposable {
  const lease = createLease({ session, clock, name: 'periodic-jobs', holder, lifetimeMs: LEASE_MS });
  let right: AbortController | undefined;
  let takenAt = 0;
  const states: State[] = jobs.map((job) => ({ job, dueAt: 0, running: undefined }));

  const start = (state: State, signal: AbortSignal): void => {
    const { job } = state;
    const run = async (): Promise<void> => {
      try {
        await job.run(signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ event: 'job.failed', job: job.name, err: error }, `${job.name} has failed`);
      } finally {
        state.running = undefined;
        state.dueAt = clock.monotonic() + job.everyMs;
      }
    };
    state.running = run();
  };

  const holds = async (): Promise<boolean> => {
    const askedAt = clock.monotonic();
    try {
      const held = await lease.take();
      if (held) takenAt = askedAt;
      return held;
    } catch {
      // The database is away. What was promised still counts for a while.
      return right !== undefined && clock.monotonic() - takenAt < LEASE_MS;
    }
  };
  const look = async (): Promise<void> => {
    if (!(await holds())) {
      right?.abort(new Error('another server does the periodic work now'));
      right = undefined;
      return;
    }
    if (right === undefined) {
      right = new AbortController();
      for (const state of states) state.dueAt = 0;
    }
    for (const state of states) {
      if (state.running === undefined && clock.monotonic() >= state.dueAt) start(state, right.signal);
    }
  };

  let looking: Promise<void> | undefined;
  const lookOnce = (): void => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  };
  const timer = clock.setInterval(lookOnce, LOOK_EVERY_MS);
  lookOnce();
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel();
      await looking;
      right?.abort(new Error('this server stops'));
      await Promise.all(states.map(({ running }) => running ?? Promise.resolve()));
      await lease.release().catch(() => undefined);
    },
  };
}
