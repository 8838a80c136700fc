import type { Clock } from '@ingot/net';
import { execa } from 'execa';

export interface CommandOptions {
  /** After this it is killed, with all that it has started. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly output: string;
  /** Why it failed, in words that end a sentence; undefined when it did its work. */
  readonly failure?: string;
  readonly timedOut: boolean;
}

/**
 * Runs a program with an argument array, never through a shell. That it is missing, fails, or takes too long, is part of
 * the result; rejects only with the reason of the signal.
 */
export type RunCommand = (argv: readonly string[], options: CommandOptions) => Promise<CommandResult>;

// The neighbours of 512 ports in JSON are about 2 MB.
const MAX_OUTPUT = 32 * 2 ** 20;
// A killed process has its pipes closed by the kernel, unless one that it started has left its group with them.
const CLOSING_MS = 1000;

/** Programs run in process groups of their own: what hangs may be the child of a child (frr-reload waits for vtysh). */
export function commandRunner(clock: Clock): RunCommand {
  return async (argv, { timeoutMs, signal }) => {
    signal.throwIfAborted();
    const [file = '', ...args] = argv;
    const running = execa(file, args, {
      reject: false,
      all: true,
      stdin: 'ignore',
      detached: true,
      cleanup: false,
      maxBuffer: MAX_OUTPUT,
      stripFinalNewline: false,
      env: { LC_ALL: 'C' },
    });
    let timedOut = false;
    const abandoned = Promise.withResolvers<undefined>();
    let closing: { cancel(): void } | undefined;
    const kill = (): void => {
      if (running.pid !== undefined) killGroup(running.pid);
      closing = clock.setTimeout(() => abandoned.resolve(undefined), CLOSING_MS);
    };
    const deadline = clock.setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    signal.addEventListener('abort', kill, { once: true });
    try {
      const result = await Promise.race([running, abandoned.promise]);
      signal.throwIfAborted();
      const { stdout = '', all: output = '' } = result ?? {};
      if (timedOut) return { stdout, output, timedOut, failure: `was killed, for it took more than ${timeoutMs} ms` };
      if (result === undefined || !result.failed) return { stdout, output, timedOut };
      return { stdout, output, timedOut, failure: failureOf(result) };
    } finally {
      deadline.cancel();
      closing?.cancel();
      signal.removeEventListener('abort', kill);
    }
  };
}

function failureOf(result: {
  readonly code?: string | undefined;
  readonly isMaxBuffer: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly originalMessage?: string | undefined;
}): string {
  if (result.code === 'ENOENT') return 'is not installed';
  if (result.isMaxBuffer) return `wrote more than ${MAX_OUTPUT} bytes`;
  if (result.exitCode !== undefined) return `ended with status ${result.exitCode}`;
  return result.signal === undefined ? (result.originalMessage ?? 'failed') : `was ended by ${result.signal}`;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
