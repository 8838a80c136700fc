import { ApiError, Code } from '@ingot/api';

/** Has those who read thousands of machines do so one after the other: side by side each would need the memory. */
export interface LongReads {
  /**
   * Resolves when it is the caller's turn, which lasts until it is disposed. Rejects with the signal's reason, and with
   * `ResourceExhausted` when too many wait already.
   */
  enter(signal?: AbortSignal): Promise<Disposable>;
}

const MAX_WAITING = 100;

export function createLongReads(): LongReads {
  const waiting = new Set<() => void>();
  let isTaken = false;
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) isTaken = false;
    else {
      waiting.delete(next);
      next();
    }
  };
  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (!isTaken) isTaken = true;
      else {
        if (waiting.size >= MAX_WAITING)
          throw new ApiError(
            Code.ResourceExhausted,
            `${MAX_WAITING} long lists are to be read already: try again later`,
          );
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const giveUp = (): void => {
          waiting.delete(resolve);
          reject(signal?.reason);
        };
        waiting.add(resolve);
        signal?.addEventListener('abort', giveUp, { once: true });
        try {
          await promise;
        } finally {
          signal?.removeEventListener('abort', giveUp);
        }
      }
      let isOver = false;
      return {
        [Symbol.dispose]: () => {
          if (!isOver) leave();
          isOver = true;
        },
      };
    },
  };
}
