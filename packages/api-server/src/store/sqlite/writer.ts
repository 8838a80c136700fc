import { setImmediate } from 'node:timers/promises';
import { ApiError } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { unavailable, words } from '../errors.ts';
import { translated, type Connection } from './statements.ts';

/** Runs transactions one after the other, and commits those that come at the same time together. */
export interface Writer {
  /** Resolves when what `work` has written is on the disk. */
  write<T>(work: () => Promise<T>): Promise<T>;
  /** Why nothing is written any more; undefined as long as it is. */
  readonly failure: ApiError | undefined;
  /** Why the last write failed, where the disk was the reason; later ones are tried. */
  readonly trouble: ApiError | undefined;
  /** Resolves when all that can be read by now is on the disk: what somebody is told may not be forgotten again. */
  stored(): Promise<void>;
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

/** `flush` resolves when what was committed is on the disk; the next group does not wait for that. */
export function createWriter({ sqlite }: Connection, flush: () => Promise<void>, clock: Clock): Writer {
  const queue: Job[] = [];
  let newest: Promise<void> | undefined;
  let broken: ApiError | undefined;
  let trouble: ApiError | undefined;
  /** A refusal by a store itself has other codes. */
  const note = (reason: unknown): void => {
    const isOfDisk = reason instanceof ApiError && reason.cause instanceof Error && 'errcode' in reason.cause;
    if (isOfDisk) trouble = reason;
  };
  let committed = 0;
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
    if (broken !== undefined) {
      for (const { reject } of queue.splice(0)) reject(broken);
      return;
    }
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
      const reason = translated(error);
      note(reason);
      rollBack();
      for (const { reject } of members) reject(reason);
      return;
    }
    newest = store(members, settled);
  };

  /** Where that fails, too, the next one begins by failing: nothing is answered that is not stored. */
  const rollBack = (): void => {
    try {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
    } catch (error) {
      note(translated(error));
    }
  };

  const store = async (members: readonly Job[], settled: readonly (() => void)[]): Promise<void> => {
    committed += members.length;
    try {
      await flush();
      if (broken !== undefined) throw broken;
      trouble = undefined;
      for (const settle of settled) settle();
    } catch (error) {
      // What the disk did not take it may have forgotten, and with it the log ends there for whoever reads it after a crash:
      // nothing later can be promised.
      broken ??= unavailable(
        `cannot write to its disk (${words(error)}): mend the disk, then restart the server`,
        error,
      );
      for (const { reject } of members) reject(broken);
    } finally {
      committed -= members.length;
    }
  };

  return {
    get failure() {
      return broken;
    },
    get trouble() {
      return trouble;
    },
    write<T>(work: () => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(unavailable('is closed'));
      if (broken !== undefined) return Promise.reject(broken);
      const waiting = queue.length + committed;
      if (waiting >= MAX_QUEUED) return Promise.reject(unavailable(`has ${waiting} writes to do`));
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const run = async (): Promise<() => void> => {
        sqlite.exec('SAVEPOINT job');
        try {
          const result = await work();
          sqlite.exec('RELEASE job');
          return () => resolve(result);
        } catch (error) {
          note(error);
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
    async stored() {
      // Groups are stored in their order.
      await newest;
    },
    async close() {
      closed = true;
      await running;
      await newest;
    },
  };
}
