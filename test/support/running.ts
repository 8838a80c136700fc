import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** A program that keeps running, with what it printed so far. */
export interface Running {
  readonly process: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects with the output when it does not in time. */
  prints(pattern: RegExp, withinMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a program in a network namespace; `ip netns exec` becomes it, so that signals reach it. */
export function startIn(
  namespace: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    process: child,
    output: () => text,
    prints: async (pattern, withinMs = 90_000) => {
      const until = Date.now() + withinMs;
      while (!pattern.test(text)) {
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (isOver) await ended;
        if (pattern.test(text)) return;
        if (isOver || Date.now() > until)
          throw new Error(`${command.join(' ')} did not print ${String(pattern)}:\n${text}`);
        await pause(20);
      }
    },
    kill: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}
