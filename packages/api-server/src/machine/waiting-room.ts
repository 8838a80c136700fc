import { ApiError, Code } from '@ingot/api';

/**
 * Machines that hold a Wait stream. Lives in memory only: after a restart nobody waits until the machines have come
 * back, which they do by themselves.
 */
export interface WaitingRoom {
  /** Takes a seat; a stream of the same machine that still sits there is asked to leave with `Aborted`. */
  enter(machine: string): Seat;
  isWaiting(machine: string): boolean;
  readonly size: number;
  /** Tells the machine's stream that its record has changed. */
  wake(machine: string): void;
}

interface Seat extends Disposable {
  /** Aborted when a newer stream of the same machine takes over. */
  readonly replaced: AbortSignal;
  /** Resolves at the next `wake`, at once if one came since the last time; rejects when `signal` is aborted. */
  changed(signal: AbortSignal): Promise<void>;
}

export function createWaitingRoom(): WaitingRoom {
  const seats = new Map<string, { readonly leave: AbortController; wake(): void }>();
  return {
    get size() {
      return seats.size;
    },
    isWaiting: (machine) => seats.has(machine),
    wake: (machine) => seats.get(machine)?.wake(),
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
