import { execa } from 'execa';
import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { unusable, YANGLINT } from './yanglint.ts';

/** A yanglint that keeps its models loaded: loading them takes longer than checking a configuration. */
export interface YanglintSession extends AsyncDisposable {
  /**
   * Gives it one command line, and resolves to what it complained of; '' when it did not. Commands run one after the
   * other. Rejects with SwitchAgentError `SWITCH_YANGLINT` when it hangs, dies or was stopped, then and ever after.
   */
  command(line: string): Promise<string>;
}

export interface SessionOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

// The largest configuration of a 512-port switch takes about a second on a desktop; a leaf has a slow CPU.
const COMMAND_TIMEOUT_MS = 60_000;
const MAX_COMPLAINT_BYTES = 2 ** 20;
// It reads its commands into a buffer of 4 KiB.
export const MAX_COMMAND_BYTES = 2_000;

interface Waiting {
  readonly mark: string;
  resolve(complaint: string): void;
  reject(error: unknown): void;
}

/**
 * Starts yanglint as a shell of commands. It has no end-of-answer mark, so a command that it does not know follows
 * each one, and its complaint about that is the end. It is ended by a kill: after a proper end it would write all
 * commands into the history that its user has in `~/.yanglint`.
 */
export function startYanglint({ folder, clock, signal }: SessionOptions): YanglintSession {
  const child = execa(YANGLINT, [], {
    cwd: folder,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    env: { LC_ALL: 'C' },
  });
  let heard = '';
  let waiting: Waiting | undefined;
  let failure: unknown;
  let asked = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const fail = (error: unknown): void => {
    failure ??= error;
    child.kill('SIGKILL');
    waiting?.reject(failure);
    waiting = undefined;
  };
  const stop = (): void => fail(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  // EPIPE, when it has died: its end is told below, and says why.
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
    if (heard.length > MAX_COMPLAINT_BYTES) fail(unusable('yanglint complains without end'));
    const end = waiting === undefined ? -1 : heard.indexOf(waiting.mark);
    if (waiting === undefined || end < 0 || !heard.includes('\n', end)) return;
    const complaint = heard.slice(0, heard.lastIndexOf('\n', end) + 1).trim();
    heard = heard.slice(heard.indexOf('\n', end) + 1);
    waiting.resolve(complaint);
    waiting = undefined;
  });
  const end = async (): Promise<void> => {
    const { code, exitCode, signal: killedBy, cause } = await child;
    signal.removeEventListener('abort', stop);
    const how = code ?? killedBy ?? `status ${exitCode}`;
    fail(unusable(`yanglint ended (${how}): ${heard.trim().split('\n').at(-1) ?? ''}`, cause));
  };
  const ended = end();

  const ask = async (line: string): Promise<string> => {
    if (failure !== undefined) throw failure;
    if (line.length > MAX_COMMAND_BYTES || line.includes('\n')) throw new Error(`no command for yanglint: ${line}`);
    asked += 1;
    const mark = `"end-of-answer-${asked}"`;
    const answer = new Promise<string>((resolve, reject) => {
      waiting = { mark, resolve, reject };
    });
    const timer = clock.setTimeout(
      () => fail(unusable(`yanglint gave no answer within ${COMMAND_TIMEOUT_MS / 1_000} s: ${line.slice(0, 60)}`)),
      COMMAND_TIMEOUT_MS,
    );
    try {
      child.stdin.write(`${line}\n${mark.slice(1, -1)}\n`);
      return await answer;
    } finally {
      timer.cancel();
    }
  };

  return {
    command: (line) => {
      const answer = queue.then(() => ask(line));
      queue = answer.catch(reasonOf);
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      fail(unusable('yanglint was stopped'));
      await ended;
    },
  };
}
