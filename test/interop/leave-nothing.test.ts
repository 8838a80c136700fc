import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Made } from './leave-nothing-main.ts';

const MAIN = fileURLToPath(new URL('leave-nothing-main.ts', import.meta.url));

interface Ended {
  readonly made: Made;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
}

async function run(how: string, signal?: NodeJS.Signals): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, how], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  // Its pipe may be held open by what it leaves behind.
  void exited.then(() => child.stdout.destroy());
  for await (const line of createInterface({ input: child.stdout })) {
    if (lines.push(line) === 1 && signal !== undefined) child.kill(signal);
  }
  await exited;
  return { made: JSON.parse(lines[0] ?? '{}'), code: child.exitCode, signal: child.signalCode, lines };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function expectNothingLeft({ namespaces, directories, pids }: Made): Promise<void> {
  expect(namespaces).toHaveLength(2);
  expect(namespaces.filter((name) => existsSync(`/run/netns/${name}`))).toEqual([]);
  expect(directories.filter((directory) => existsSync(directory))).toEqual([]);
  // The kernel takes a moment to bury them, and whoever adopts them another.
  await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
}

describe('a benchmark leaves no namespace, no process and no file behind', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('when it is ended by %s', async (signal) => {
    const ended = await run('', signal);
    expect(ended.signal).toBe(signal);
    expect(ended.lines).toContain('waited');
    await expectNothingLeft(ended.made);
  });

  it('when it meets an error that nobody catches', async () => {
    const ended = await run('uncaught');
    expect(ended.code).toBe(1);
    await expectNothingLeft(ended.made);
  });
});
