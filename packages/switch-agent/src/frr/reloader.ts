import type { CommandResult, RunCommand } from './command.ts';

/** How FRR is made to run `frr.conf`: by a program, or by a systemd unit of type `oneshot` on the switch. */
export type ReloadMethod = { readonly command: readonly string[] } | { readonly unit: string };

export interface ReloaderOptions {
  readonly method: ReloadMethod;
  readonly run: RunCommand;
  /** A reload that takes longer is ended, milliseconds. */
  readonly timeoutMs: number;
  /** How systemd is asked. Default: `systemctl`. */
  readonly systemctl?: readonly string[];
}

export interface ReloadFailure {
  readonly reason: string;
  /** Whether it was ended because it took too long. */
  readonly hung: boolean;
}

/** Undefined when the reload says that it did its work. */
export type Reload = (signal: AbortSignal) => Promise<ReloadFailure | undefined>;

const SYSTEMCTL_MS = 10_000;

// Of a long log, what FRR says about the lines that it does not take.
const TELLING = /^% (?!Can't open)|Failure to communicate|Error description|Unknown command|ERROR|rejected/;
const MAX_WORDS = 400;

export function createReload(options: ReloaderOptions): Reload {
  const { method, run, timeoutMs, systemctl = ['systemctl'] } = options;
  if ('command' in method) {
    return async (signal) => failureOf(method.command.join(' '), await run(method.command, { timeoutMs, signal }));
  }
  const { unit } = method;
  const ask = (args: readonly string[], deadlineMs: number, signal: AbortSignal): Promise<CommandResult> =>
    run([...systemctl, ...args, unit], { timeoutMs: deadlineMs, signal });
  return async (signal) => {
    // Earlier failures count against the unit's start limit, and with it reached systemd starts it no more.
    await ask(['reset-failed'], SYSTEMCTL_MS, signal);
    const result = await ask(['start'], timeoutMs, signal);
    // systemctl waits for a oneshot unit; with systemctl killed, the unit goes on.
    if (result.timedOut) await ask(['kill', '--signal=SIGKILL'], SYSTEMCTL_MS, signal);
    return failureOf(unit, result);
  };
}

/** What a reload has said that is worth repeating. */
function failureOf(what: string, result: CommandResult): ReloadFailure | undefined {
  if (result.failure === undefined) return undefined;
  const lines = result.output.split('\n').map((line) => line.trim());
  const words = lines.filter((line) => TELLING.test(line)).join(' | ') || (lines.findLast((line) => line !== '') ?? '');
  return {
    reason: `${what} ${result.failure}${words === '' ? '' : `: ${words.slice(0, MAX_WORDS)}`}`,
    hung: result.timedOut,
  };
}
