import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import type { Sql } from '../store/database.ts';
import { createLease } from '../store/lease.ts';
import type { TaskStore } from '../store/task-store.ts';

/** Work for the whole of the servers that share a database: one of them does it. It must bear being done twice. */
export interface PeriodicJob {
  /** For the log: `sweep-tokens`. */
  readonly name: string;
  /** From the end of one run to the start of the next, and at once when this server takes over. */
  readonly everyMs: number;
  /**
   * `signal` ends when this server stops, or has lost the right. Answers what it did, as JSON has it, for operators;
   * undefined: there was nothing to do.
   */
  run(signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined>;
}

export interface PeriodicJobsOptions {
  readonly session: Sql;
  readonly clock: Clock;
  readonly log: Logger;
  /** This server, for this run. */
  readonly holder: string;
  readonly jobs: readonly PeriodicJob[];
  /** Where operators see them; what cannot be written there is not worth failing for. */
  readonly tasks: TaskStore;
}

/** How long nobody does the periodic work when the server that did it was killed. */
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 10_000;
/** After a failure, and twice as long after each further one, until it is as long as the job's own time. */
const FIRST_RETRY_MS = 60_000;

interface State {
  readonly job: PeriodicJob;
  dueAt: number;
  running: Promise<void> | undefined;
  /** One after the other. */
  failures: number;
}

/** Runs jobs at whichever server holds the lease; another takes over when that ends. */
export function startPeriodicJobs(options: PeriodicJobsOptions): AsyncDisposable {
  const { session, clock, log, holder, jobs, tasks } = options;
  const lease = createLease({ session, clock, name: 'periodic-jobs', holder, lifetimeMs: LEASE_MS });
  let right: AbortController | undefined;
  let takenAt = 0;
  const states: State[] = jobs.map((job) => ({ job, dueAt: 0, running: undefined, failures: 0 }));

  const start = (state: State, signal: AbortSignal): void => {
    const { job } = state;
    const note = (written: Promise<void>): Promise<void> =>
      written.catch((error: unknown) => {
        if (!signal.aborted)
          log.warn({ event: 'job.unseen', job: job.name, err: error }, 'a job is not shown as it is');
      });
    const run = async (): Promise<void> => {
      let pauseMs = job.everyMs;
      try {
        await note(tasks.begin(job.name));
        const result = await job.run(signal);
        state.failures = 0;
        const json = result === undefined ? undefined : JSON.stringify(result);
        await note(tasks.succeed(job.name, json, clock.now() + pauseMs));
      } catch (error) {
        pauseMs = Math.min(pauseMs, FIRST_RETRY_MS * 2 ** Math.min(state.failures, 20));
        state.failures += 1;
        if (!signal.aborted) log.warn({ event: 'job.failed', job: job.name, err: error }, `${job.name} has failed`);
        const words = error instanceof Error ? error.message : String(error);
        await note(tasks.fail(job.name, words, clock.now() + pauseMs));
      } finally {
        state.running = undefined;
        state.dueAt = clock.monotonic() + pauseMs;
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
