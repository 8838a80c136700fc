import { ApiError, Code } from '@ingot/api';
import type { Clock, Entropy, Timer } from '@ingot/net';
import { uuidV7 } from '../auth/uuid-v7.ts';
import type { Database } from '../store/database.ts';
import type { WaitingStore } from '../store/waiting-store.ts';

/**
 * Wait streams of this server. That a machine waits is in the database, too, for all servers to see; `isWaiting` of the
 * store tells it.
 */
export interface WaitingRoom extends Disposable {
  /** Takes a seat; an older stream of the same machine, at whichever server, is asked to leave with `Aborted`. */
  enter(machine: string): Promise<Seat>;
  /** At this server. */
  isWaiting(machine: string): boolean;
  /** Streams of this server. */
  readonly size: number;
}

interface Seat extends AsyncDisposable {
  /** Aborted when a newer stream of the same machine takes over. */
  readonly replaced: AbortSignal;
  /**
   * Resolves when the machine's record has changed, at once if it has since the last time, and now and then without
   * reason; rejects when `signal` is aborted.
   */
  changed(signal: AbortSignal): Promise<void>;
}

export interface WaitingRoomOptions {
  /** Tells of changes of machines, by whichever server. */
  readonly database: Pick<Database, 'subscribe'>;
  readonly waiting: WaitingStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

interface Taken {
  readonly seat: string;
  readonly leave: AbortController;
  wake(): void;
}

/** A lost notification costs a machine no more than this. Seats are renewed with it: a third of their lifetime. */
const LOOK_EVERY_MS = 30_000;
/** So many look at once, and the next after a pause: 10,000 are through in seven seconds. */
const WAKE_AT_ONCE = 32;
const WAKE_PAUSE_MS = 20;

export function createWaitingRoom({ database, waiting, clock, entropy }: WaitingRoomOptions): WaitingRoom {
  const seats = new Map<string, Taken>();
  const replace = (taken: Taken): void =>
    taken.leave.abort(new ApiError(Code.Aborted, 'a newer Wait stream of this machine has taken over: keep that one'));
  /** While the database is away nobody is asked to leave: the next look makes up for it. */
  const quietly = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch {
      // The readiness check of the database says why.
    }
  };
  // Each that is woken reads its machine; all at once they would keep everybody else waiting.
  const due = new Set<Taken>();
  let waking: Timer | undefined;
  const wakeSome = (): void => {
    for (const taken of [...due].slice(0, WAKE_AT_ONCE)) {
      due.delete(taken);
      taken.wake();
    }
    waking = due.size === 0 ? undefined : clock.setTimeout(wakeSome, WAKE_PAUSE_MS);
  };
  let looking: Promise<void> | undefined;
  const lookAtAll = async (): Promise<void> => {
    const before = [...seats.values()];
    const lost = new Set(await waiting.renew(before.map(({ seat }) => seat)));
    for (const taken of before) if (lost.has(taken.seat)) replace(taken);
  };
  const everybody = (): void => {
    for (const taken of seats.values()) due.add(taken);
    if (waking === undefined) wakeSome();
    looking ??= quietly(lookAtAll).finally(() => {
      looking = undefined;
    });
  };
  const changes = database.subscribe('machine', (machine) => {
    if (machine === undefined) everybody();
    else seats.get(machine)?.wake();
  });
  const arrivals = database.subscribe('waiting', (machine) => {
    const taken = machine === undefined ? undefined : seats.get(machine);
    if (machine === undefined || taken === undefined) return;
    void quietly(async () => {
      if ((await waiting.seatOf(machine)) !== taken.seat) replace(taken);
    });
  });
  const timer = clock.setInterval(everybody, LOOK_EVERY_MS);

  return {
    get size() {
      return seats.size;
    },
    isWaiting: (machine) => seats.has(machine),
    [Symbol.dispose]() {
      timer.cancel();
      waking?.cancel();
      changes[Symbol.dispose]();
      arrivals[Symbol.dispose]();
    },
    async enter(machine) {
      const leave = new AbortController();
      let next = Promise.withResolvers<void>();
      const taken: Taken = { seat: uuidV7(clock.now(), entropy), leave, wake: () => next.resolve() };
      await waiting.enter(machine, taken.seat);
      const older = seats.get(machine);
      seats.set(machine, taken);
      if (older !== undefined) replace(older);
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
        async [Symbol.asyncDispose]() {
          if (seats.get(machine) === taken) seats.delete(machine);
          due.delete(taken);
          await quietly(() => waiting.leave(machine, taken.seat));
        },
      };
    },
  };
}
