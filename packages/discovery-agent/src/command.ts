import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { AgentError, AgentErrorCode } from './errors.ts';

export interface CommandOptions {
  /** Killed when it takes longer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Exit statuses besides 0 with which a program has done what it was asked for. Default: none. */
  readonly isAnswer?: (status: number) => boolean;
}

/**
 * Runs a program with an argument array, never through a shell, and gives its standard output.
 *
 * Rejects with an `AgentError` (`CommandFailed`) when it is missing, fails or takes too long.
 */
export type RunCommand = (file: string, args: readonly string[], options: CommandOptions) => Promise<string>;

const maxOutputBytes = 4 * 2 ** 20;

export const runCommand: RunCommand = async (file, args, { timeoutMs, signal, isAnswer }) => {
  const result = await execa(file, args, {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    maxBuffer: maxOutputBytes,
    env: { LC_ALL: 'C' },
    ...(signal && { cancelSignal: signal }),
  });
  if (!result.failed || (result.exitCode !== undefined && isAnswer?.(result.exitCode) === true)) return result.stdout;
  if (result.code === 'ENOENT')
    throw new AgentError(AgentErrorCode.CommandFailed, `${file} is not installed`, { cause: result.cause });
  const why = result.timedOut
    ? `gave no result within ${timeoutMs} ms`
    : reasonIn(result.stderr) || result.shortMessage || `ended with status ${result.exitCode}`;
  throw new AgentError(AgentErrorCode.CommandFailed, `${file} ${args.join(' ')}: ${why}`, { cause: result.cause });
};

/** The last word is the reason; but some, as nvme, tell after it how they want to be called. */
function reasonIn(text: string): string {
  const [beforeUsage = ''] = stripVTControlCharacters(text).split(/^usage:/im);
  return beforeUsage.trim().split('\n').at(-1) ?? '';
}
