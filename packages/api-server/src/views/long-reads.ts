import { ApiError, Code } from '@ingot/api';

/** Keeps those who read thousands of machines at once few: the memory is needed for each of them. */
export interface LongReads {
  /**
   * Resolves when it is the caller's turn, which lasts until it is disposed. Rejects with the signal's reason, and with
   * `ResourceExhausted` when too many wait already.
   */
  enter(signal?: AbortSignal): Promise<Disposable>;
}

const AT_ONCE = 2;
const MAX_WAITING = 100;

export function createLongReads(): LongReads {
  const waiting = new Set<() => void>();
  let running = 0;
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else {
      waiting.delete(next);
      next();
    }
  };
  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (running < AT_ONCE) running += 1;
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
