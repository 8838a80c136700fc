import { ApiError, Code } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Database } from '../store/database.ts';

/**
 * Machines that hold a Wait stream of this server. Lives in memory only: after a restart nobody waits until the machines
 * have come back, which they do by themselves.
 */
export interface WaitingRoom extends Disposable {
  /** Takes a seat; a stream of the same machine that still sits there is asked to leave with `Aborted`. */
  enter(machine: string): Seat;
  isWaiting(machine: string): boolean;
  readonly size: number;
}

interface Seat extends Disposable {
  /** Aborted when a newer stream of the same machine takes over. */
  readonly replaced: AbortSignal;
  /**
   * Resolves when the machine's record has changed, at once if it has since the last time, and now and then without
   * reason; rejects when `signal` is aborted.
   */
  changed(signal: AbortSignal): Promise<void>;
}

export interface WaitingRoomOptions {
  /** Tells of changes of machines, by whichever replica. */
  readonly database: Pick<Database, 'subscribe'>;
  readonly clock: Clock;
}

/** A lost notification costs a machine no more than this. */
const LOOK_EVERY_MS = 30_000;

export function createWaitingRoom({ database, clock }: WaitingRoomOptions): WaitingRoom {
  const seats = new Map<string, { readonly leave: AbortController; wake(): void }>();
  const wakeAll = (): void => {
    for (const seat of seats.values()) seat.wake();
  };
  const subscription = database.subscribe('machine', (machine) => {
    if (machine === undefined) wakeAll();
    else seats.get(machine)?.wake();
  });
  const timer = clock.setInterval(wakeAll, LOOK_EVERY_MS);
  return {
    get size() {
      return seats.size;
    },
    isWaiting: (machine) => seats.has(machine),
    [Symbol.dispose]() {
      timer.cancel();
      subscription[Symbol.dispose]();
    },
    enter(machine) {
      seats
        .get(machine)
        ?.leave.abort(new ApiError(Code.Aborted, 'a newer Wait stream of this machine has taken over: keep that one'));
      const leave = new AbortController();
      let next = Promise.withResolvers<void>();
      const seat = { leave, wake: (): void => next.resolve() };
      seats.set(machine, seat);
      return {
        replaced: leave.signal,
        async changed(signal) {
          const aborted = Promise.withResolvers<never>();
          const fail = (): void => aborted.reject(signal.reason);
          if (signal.aborted) fail();
          signal.addEventListener('abort', fail, { once: true });
          try {
            await Promise.race([next.promise, aborted.promise]);
            next = Promise.withResolvers<void>();
          } finally {
            signal.removeEventListener('abort', fail);
          }
        },
        [Symbol.dispose]() {
          if (seats.get(machine) === seat) seats.delete(machine);
        },
      };
    },
  };
}
