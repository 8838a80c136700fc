import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';

/**
 * Runs something that Ctrl-C ends in an orderly way: the signal is aborted, and when `run` is done with that, the command
 * ends as one that was interrupted, with `words` if there is something to say.
 */
export async function untilInterrupted<T>(
  io: CliIo,
  run: (signal: AbortSignal) => Promise<T>,
  words: () => string = () => '',
): Promise<T> {
  const interruption = new AbortController();
  const listening = io.onInterrupt?.(() => interruption.abort());
  try {
    const value = await run(interruption.signal);
    if (!interruption.signal.aborted) return value;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    listening?.[Symbol.dispose]();
  }
  throw new CliError(CliErrorCode.Interrupted, words());
}
