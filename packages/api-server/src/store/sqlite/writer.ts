import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@ingot/net';
import { unavailable } from '../errors.ts';
import { translated, type Connection } from './statements.ts';

/** Runs transactions one after the other, and commits those that come at the same time together. */
export interface Writer {
  /** Resolves when what `work` has written is on the disk. */
  write<T>(work: () => Promise<T>): Promise<T>;
  /** Waits for what is queued; refuses what comes later. */
  close(): Promise<void>;
}

interface Job {
  /** Answers what to do once the group is stored. */
  readonly run: () => Promise<() => void>;
  readonly reject: (reason: unknown) => void;
}

// A commit costs one wait for the disk, however many transactions it holds. Long enough for a burst, and short enough
// that the first of a group hardly notices.
const MAX_GROUP = 256;
const MAX_GROUP_MS = 10;
/** Beyond that the disk cannot keep up, and waiting longer helps nobody. */
const MAX_QUEUED = 10_000;

export function createWriter({ sqlite }: Connection, clock: Clock): Writer {
  const queue: Job[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const pump = async (): Promise<void> => {
    // All requests that have arrived by now join the first group.
    await setImmediate();
    while (queue.length > 0) {
      await group();
      await setImmediate();
    }
    running = undefined;
  };

  const group = async (): Promise<void> => {
    const members: Job[] = [];
    const settled: (() => void)[] = [];
    const startedAt = clock.monotonic();
    try {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        members.push(job);
        if (members.length === 1) sqlite.exec('BEGIN IMMEDIATE');
        settled.push(await job.run());
        if (members.length >= MAX_GROUP || clock.monotonic() - startedAt > MAX_GROUP_MS) break;
      }
      sqlite.exec('COMMIT');
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
      const reason = translated(error);
      for (const { reject } of members) reject(reason);
      return;
    }
    for (const settle of settled) settle();
  };

  return {
    write<T>(work: () => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(unavailable('is closed'));
      if (queue.length >= MAX_QUEUED) return Promise.reject(unavailable(`has ${queue.length} writes to do`));
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const run = async (): Promise<() => void> => {
        sqlite.exec('SAVEPOINT job');
        try {
          const result = await work();
          sqlite.exec('RELEASE job');
          return () => resolve(result);
        } catch (error) {
          // Errors of the disk end the whole transaction of SQLite, and not only the savepoint.
          if (!sqlite.isTransaction) throw error;
          sqlite.exec('ROLLBACK TO job; RELEASE job');
          return () => reject(error);
        }
      };
      queue.push({ run, reject });
      running ??= pump();
      return promise;
    },
    async close() {
      closed = true;
      await running;
    },
  };
}
