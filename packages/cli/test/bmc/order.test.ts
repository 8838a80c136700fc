import { createClient, infraV2 } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShellParts } from '../api-kit.ts';
import { furnish, PATIENCE_MS, type Plane, registerMachine, startPlane } from '../plane-kit.ts';

const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';

let plane: Plane;
const worker = new AbortController();

beforeAll(async () => {
  plane = await startPlane();
  await furnish(plane);
  await registerMachine(plane, MACHINE);
}, PATIENCE_MS);
afterAll(async () => {
  worker.abort();
  await plane[Symbol.asyncDispose]();
});

/** A worker for one command: it waits for it, and tells how it went. */
async function workOnce(error?: string): Promise<void> {
  const bmc = createClient(infraV2.BMCService, plane.channel);
  for await (const { commandId } of bmc.waitForBMCCommand({ partition: 'hall' }, { signal: worker.signal })) {
    await bmc.bMCCommandDone({ commandId, ...(error === undefined ? {} : { error }) });
    return;
  }
}

/** Each wait of the command lets a little of real time pass, and much of its own. */
function hurried(stepMs: number): ShellParts {
  let passedMs = 0;
  return {
    clock: {
      ...systemClock,
      monotonic: () => passedMs,
      sleep: async (_ms, signal) => {
        passedMs += stepMs;
        await systemClock.sleep(20, signal);
      },
    },
  };
}

test('what came of a command is waited for and said', async () => {
  const [answer] = await Promise.all([
    plane.ingotIn(hurried(1), 'bmc', 'command', 'aaaa', 'identify-led-on'),
    workOnce(),
  ]);
  expect(answer).toEqual({ status: 0, stdout: `machine ${MACHINE}: identify-led-on is done\n`, stderr: '' });
});

test('a command that failed ends with the words of the worker', async () => {
  const [answer] = await Promise.all([
    plane.ingotIn(hurried(1), 'machine', 'power', 'aaaa', 'off'),
    workOnce('BMC_UNREACHABLE: 10.0.0.101 does not\u001B[2J answer'),
  ]);
  expect(answer.status).toBe(1);
  expect(answer.stderr).toMatch(/off failed: BMC_UNREACHABLE: 10\.0\.0\.101 does not\uFFFD?.*answer\n$/);
  expect(answer.stderr).not.toContain('\u001B');
});

test('without a worker the wait ends, and says where to look', async () => {
  const answer = await plane.ingotIn(hurried(30_000), 'machine', 'identify', 'aaaa', 'off', '--timeout', '60s');
  expect(answer.status).toBe(6);
  expect(answer.stderr).toMatch(/identify-led-off is not done within 1m, and may still be: ingot task describe \S+\n$/);
  const task = / (\S+)\n$/.exec(answer.stderr)?.[1] ?? '';
  expect((await plane.ingot('task', 'rm', task)).stdout).toBe(`task ${task} taken back\n`);
});

test('the password of a BMC is shown to those who ask for it', async () => {
  const hidden = await plane.ingot('bmc', 'describe', 'aaaa');
  expect(hidden.stdout).toContain('10.0.0.101:623');
  expect(hidden.stdout).not.toContain('very-secret');
  expect((await plane.ingot('bmc', 'describe', 'aaaa', '--show-password')).stdout).toContain('very-secret');
  expect((await plane.ingot('bmc', 'ls', '-o', 'json')).stdout).not.toContain('very-secret');
});

test('a slip of the pen does not start the worker', async () => {
  expect(await plane.ingot('bmc', 'lss')).toMatchObject({
    status: 2,
    stderr: 'ingot: there is no "ingot bmc lss": see ingot bmc --help\n',
  });
});
