import type { Clock, Timer } from '@ingot/net';
import { ApiError, Code } from '../errors.ts';

/** What requests may cost that have begun and are not there yet: nobody knows by then who sends most of them. */
export interface UnfinishedBounds {
  /** Time for all of a request to come, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Bytes of all of them together. */
  readonly maxUnfinishedBytes: number;
}

/** The requests that a server is in the middle of receiving. */
export interface UnfinishedRequests {
  /**
   * One that begins. `giveUp` is called once when it takes too long (`DeadlineExceeded`), or has to make room for others
   * (`ResourceExhausted`).
   */
  begin(giveUp: (reason: ApiError) => void): UnfinishedRequest;
}

export interface UnfinishedRequest {
  /** So many bytes more have come. */
  take(bytes: number): void;
  /** It is complete, or gone. */
  end(): void;
}

const LOOK_EVERY_MS = 1_000;
/** Making some room at once costs less than a little each time. */
const MAKE_ROOM_TO = 0.75;

interface Entry {
  readonly since: number;
  readonly giveUp: (reason: ApiError) => void;
  bytes: number;
}

/**
 * Keeps what is unfinished within bounds. When there is no room left, those that have held most for longest give way: a
 * client that means it is done within milliseconds, and one that holds what it has sent is not.
 */
export function createUnfinishedRequests(
  { requestTimeoutMs, maxUnfinishedBytes }: UnfinishedBounds,
  clock: Clock,
): UnfinishedRequests {
  const entries = new Set<Entry>();
  let total = 0;
  const drop = (entry: Entry): boolean => {
    if (!entries.delete(entry)) return false;
    total -= entry.bytes;
    return true;
  };
  const makeRoom = (): void => {
    const now = clock.monotonic();
    const cost = ({ bytes, since }: Entry): number => bytes * (now - since + 1);
    for (const entry of [...entries].toSorted((one, other) => cost(other) - cost(one))) {
      if (total <= maxUnfinishedBytes * MAKE_ROOM_TO) return;
      drop(entry);
      entry.giveUp(
        new ApiError(Code.ResourceExhausted, 'too many requests are unfinished: send it again, all at once'),
      );
    }
  };
  let timer: Timer | undefined;
  const look = (): void => {
    timer = undefined;
    const tooOld = clock.monotonic() - requestTimeoutMs;
    // The oldest are first.
    for (const entry of entries) {
      if (entry.since > tooOld) break;
      drop(entry);
      entry.giveUp(
        new ApiError(Code.DeadlineExceeded, `the request was not complete within ${requestTimeoutMs / 1000} s`),
      );
    }
    if (entries.size > 0) timer ??= clock.setTimeout(look, LOOK_EVERY_MS);
  };
  return {
    begin(giveUp) {
      const entry: Entry = { since: clock.monotonic(), giveUp, bytes: 0 };
      entries.add(entry);
      timer ??= clock.setTimeout(look, LOOK_EVERY_MS);
      return {
        take(bytes) {
          if (!entries.has(entry)) return;
          entry.bytes += bytes;
          total += bytes;
          if (total > maxUnfinishedBytes) makeRoom();
        },
        end: () => void drop(entry),
      };
    },
  };
}
