import type { Clock } from '@ingot/net';
import { AgentError, AgentErrorCode } from './errors.ts';

export interface DeadlineOptions {
  readonly clock: Clock;
  /** What is being done, as a person would say it: it is named when it hangs. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for `work` no longer than `timeoutMs`. A process that sleeps in the kernel (state D, as below a dead disk) does
 * not even die of SIGKILL, so its end cannot be waited for: `work` is told through its signal, and left behind.
 *
 * Rejects with `AgentError` (`Hung`) when the time is over, with the signal's reason when that is aborted.
 */
export async function withDeadline<T>(
  { clock, what, timeoutMs, signal }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ending = new AbortController();
  return await new Promise<T>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', aborted);
      settle();
    };
    const giveUp = (error: Error): void =>
      finish(() => {
        reject(error);
        ending.abort(error);
      });
    const aborted = (): void => giveUp(asError(signal.reason));
    const timer = clock.setTimeout(() => {
      const words = `${what} hangs: nothing after ${Math.round(timeoutMs / 1000)} s`;
      giveUp(new AgentError(AgentErrorCode.Hung, words));
    }, timeoutMs);
    signal.addEventListener('abort', aborted);
    work(ending.signal).then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(asError(error))),
    );
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
