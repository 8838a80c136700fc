import type { Clock } from '@ingot/net';
import type { Row, Sql } from './database.ts';
import { number, optionalNumber, text } from './row.ts';

export const TaskPhase = { Scheduled: 0, Active: 1, Retry: 2 } as const;
export type TaskPhase = (typeof TaskPhase)[keyof typeof TaskPhase];

/** Work that the servers do again and again, as operators see it. Times in milliseconds since the epoch. */
export interface Task {
  readonly id: string;
  readonly type: string;
  readonly phase: TaskPhase;
  /** When it is due. */
  readonly nextAt: number;
  /** Failures one after the other. */
  readonly retried: number;
  /** Of the last failure; stays when it goes well again. */
  readonly lastError: string;
  readonly lastFailedAt: number | undefined;
  readonly completedAt: number | undefined;
  /** JSON, of the last time that something was done. */
  readonly result: string;
}

/** What came of periodic work: one row for each kind. */
export interface TaskStore {
  begin(type: string): Promise<void>;
  /** `result` is JSON; undefined: there was nothing to do. */
  succeed(type: string, result: string | undefined, nextAt: number): Promise<void>;
  fail(type: string, error: string, nextAt: number): Promise<void>;
  get(id: string): Promise<Task | undefined>;
  /** By type. */
  list(): Promise<Task[]>;
}

const QUEUE = 'periodic';
const MAX_ERROR = 1000;

export function createTaskStore(session: Sql, clock: Clock): TaskStore {
  return {
    async begin(type) {
      const now = clock.now();
      await session.run(
        `INSERT INTO task (id, queue, type, payload, state, run_at, lease_until, retried, last_error, created_at, result)
         VALUES (?, ?, ?, '{}', ?, ?, 0, 0, '', ?, '{}') ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
        idOf(type),
        QUEUE,
        type,
        TaskPhase.Active,
        now,
        now,
      );
    },
    async succeed(type, result, nextAt) {
      const done = result === undefined ? '' : ', completed_at = ?, result = ?';
      await session.run(
        `UPDATE task SET state = ?, run_at = ?, retried = 0${done} WHERE id = ?`,
        TaskPhase.Scheduled,
        nextAt,
        ...(result === undefined ? [] : [clock.now(), result]),
        idOf(type),
      );
    },
    async fail(type, error, nextAt) {
      await session.run(
        'UPDATE task SET state = ?, run_at = ?, retried = retried + 1, last_error = ?, last_failed_at = ? WHERE id = ?',
        TaskPhase.Retry,
        nextAt,
        error.slice(0, MAX_ERROR),
        clock.now(),
        idOf(type),
      );
    },
    async get(id) {
      const row = await session.get('SELECT * FROM task WHERE id = ? AND queue = ?', id, QUEUE);
      return row === undefined ? undefined : toTask(row);
    },
    async list() {
      return (await session.all('SELECT * FROM task WHERE queue = ? ORDER BY type', QUEUE)).map(toTask);
    },
  };
}

function idOf(type: string): string {
  return `${QUEUE}-${type}`;
}

function toTask(row: Row): Task {
  const phase = number(row, 'state');
  return {
    id: text(row, 'id'),
    type: text(row, 'type'),
    phase:
      phase === TaskPhase.Active ? TaskPhase.Active : phase === TaskPhase.Retry ? TaskPhase.Retry : TaskPhase.Scheduled,
    nextAt: number(row, 'run_at'),
    retried: number(row, 'retried'),
    lastError: text(row, 'last_error'),
    lastFailedAt: optionalNumber(row, 'last_failed_at'),
    completedAt: optionalNumber(row, 'completed_at'),
    result: text(row, 'result'),
  };
}
