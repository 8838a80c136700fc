import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { startPeriodicJobs } from '../../src/jobs/periodic-jobs.ts';
import type { Sql } from '../../src/store/database.ts';
import { createTaskStore } from '../../src/store/task-store.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { until } from '../support.ts';

/** Several servers on one database, and who of them has worked. */
async function servers(work: (kit: Kit) => Promise<void>): Promise<void> {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const done: string[] = [];
  const log = new MemoryLogger();
  let away = false;
  const session: Sql = {
    run: (sql, ...values) => (away ? Promise.reject(new Error('away')) : database.run(sql, ...values)),
    get: (sql, ...values) => database.get(sql, ...values),
    all: (sql, ...values) => database.all(sql, ...values),
  };
  const kit: Kit = {
    clock,
    done,
    log,
    start: (holder, run) =>
      startPeriodicJobs({
        session,
        clock,
        log,
        holder,
        tasks: createTaskStore(session, clock),
        jobs: [
          {
            name: 'count',
            everyMs: 60_000,
            async run(signal) {
              if (run === undefined) done.push(holder);
              else await run(signal);
              return undefined;
            },
          },
        ],
      }),
    setAway: (now) => {
      away = now;
    },
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 10_000) {
        await clock.advance(10_000);
        // The lease and the tasks are in the real database, which takes its real time: the lease, the begin and the end of
        // a job are three writes, one after the other, and this one comes behind each of them.
        for (let writes = 0; writes < 6; writes += 1) {
          await database.run('DELETE FROM secret');
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
  };
  await work(kit);
}

interface Kit {
  readonly clock: MockClock;
  readonly done: string[];
  readonly log: MemoryLogger;
  readonly start: (holder: string, run?: (signal: AbortSignal) => Promise<void>) => AsyncDisposable;
  readonly setAway: (away: boolean) => void;
  readonly pass: (ms: number) => Promise<void>;
}

test('one of several servers works, at its start and then each time, and the next one when it stops', () =>
  servers(async ({ start, done, pass }) => {
    const first = start('first');
    await until(() => done.length === 1);
    await using second = start('second');
    await pass(130_000);
    expect(done).toEqual(['first', 'first', 'first']);
    await first[Symbol.asyncDispose]();
    await pass(10_000);
    expect(done.at(-1)).toBe('second');
    expect(second).toBeDefined();
  }));

test('another takes over from a server that was killed', () =>
  servers(async ({ start, done, pass }) => {
    // It has the lease, and renews it no more.
    let killed: AbortSignal | undefined;
    const first = start('first', (signal) => {
      killed = signal;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    await until(() => killed !== undefined);
    await using second = start('second');
    await pass(30_000);
    expect(done).toEqual([]);
    await first[Symbol.asyncDispose]();
    await pass(20_000);
    expect([done[0], killed?.aborted, second !== undefined]).toEqual(['second', true, true]);
  }));

test('work goes on while the database is away for less than the lease, and ends when it may be somebody else’s', () =>
  servers(async ({ start, pass, setAway }) => {
    let signal: AbortSignal | undefined;
    await using only = start('only', (given) => {
      signal = given;
      return new Promise((resolve) => given.addEventListener('abort', () => resolve()));
    });
    await until(() => signal !== undefined);
    setAway(true);
    await pass(50_000);
    expect(signal?.aborted).toBe(false);
    await pass(20_000);
    expect([signal?.aborted, only !== undefined]).toEqual([true, true]);
    setAway(false);
  }));

test('a job that fails says so and is tried again', () =>
  servers(async ({ start, log, pass }) => {
    let tries = 0;
    await using only = start('only', () => {
      tries += 1;
      return Promise.reject(new Error('no space'));
    });
    await until(() => tries === 1);
    await pass(70_000);
    expect([tries, only !== undefined]).toEqual([2, true]);
    expect(log.records.map(({ fields }) => fields['event'])).toEqual(['job.failed', 'job.failed']);
  }));

test('what fails is tried again soon, and operators see it', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const tasks = createTaskStore(database, clock);
  const HOUR_MS = 3_600_000;
  let runs = 0;
  await using jobs = startPeriodicJobs({
    session: database,
    clock,
    log: new MemoryLogger(),
    holder: 'a',
    tasks,
    jobs: [
      {
        name: 'backup',
        everyMs: HOUR_MS,
        run() {
          runs += 1;
          return runs < 4 ? Promise.reject(new Error('no room left')) : Promise.resolve({ rows: 7 });
        },
      },
    ],
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      await clock.advance(10_000);
      await database.run('DELETE FROM secret');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const seen = async () => (await tasks.list())[0];
  await until(async () => (await seen())?.retried === 1);
  expect(await seen()).toMatchObject({ type: 'backup', lastError: 'no room left', completedAt: undefined });
  // After one minute, two, and four.
  for (const [minutes, count] of [
    [2, 2],
    [3, 3],
    [5, 4],
  ] as const) {
    await pass(minutes * 60_000);
    await until(() => Promise.resolve(runs === count));
  }
  await until(async () => (await seen())?.completedAt !== undefined);
  expect(await seen()).toMatchObject({ retried: 0, lastError: 'no room left', result: '{"rows":7}' });
  await pass(HOUR_MS / 2);
  expect(runs).toBe(4);
  await jobs[Symbol.asyncDispose]();
});

test('a job is done although it cannot be shown to operators, and the log says so', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const log = new MemoryLogger();
  const full = new Error('disk full');
  const unseen = (): Promise<never> => Promise.reject(full);
  const tasks = { ...createTaskStore(database, clock), begin: unseen, succeed: unseen };
  let runs = 0;
  const run = (): Promise<undefined> => {
    runs += 1;
    return Promise.resolve(undefined);
  };
  await using jobs = startPeriodicJobs({
    session: database,
    clock,
    log,
    holder: 'a',
    tasks,
    jobs: [{ name: 'sweep', everyMs: 60_000, run }],
  });
  await until(() => log.records.length === 2);
  expect(runs).toBe(1);
  for (const { level, fields } of log.records)
    expect([level, fields]).toEqual(['warn', { event: 'job.unseen', job: 'sweep', err: full }]);
  await jobs[Symbol.asyncDispose]();
});
