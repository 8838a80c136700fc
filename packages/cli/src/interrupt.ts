import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';

/** `untilInterrupted` for what is of use only to whoever reads standard output: that he leaves ends it, too. */
export function whileRead(io: CliIo, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { onInterrupt, onReaderGone } = io;
  const onEither = (stop: () => void): Disposable => {
    const both = new DisposableStack();
    both.use(onInterrupt?.(stop));
    both.use(onReaderGone?.(stop));
    return both;
  };
  return untilInterrupted({ ...io, onInterrupt: onEither }, run);
}

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
