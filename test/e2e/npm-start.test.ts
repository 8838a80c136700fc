import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../support/image.ts';
import { leftovers } from './rack-under-test.ts';

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Runs `npm start -- <args>` as a user does, with a pipe for a terminal; `onOutput` sees all output so far. */
function npmStart(
  args: readonly string[],
  onOutput: (output: string, signal: (name: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['start', '--', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    // What a terminal sends reaches the whole foreground process group.
    const signal = (name: NodeJS.Signals): void => {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        onOutput(output, signal);
      });
    }
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}

/** Removes the logs that a failed start keeps and names. */
function removeLogs(output: string): void {
  const directory = /logs: (\S+)\/log\/\*\.log/.exec(output)?.[1];
  expect(directory).toBeDefined();
  if (directory !== undefined) rmSync(directory, { recursive: true });
}

test('npm start -- --once boots a machine, prints its phases and its table, and leaves nothing behind', async () => {
  const { status, output } = await npmStart(['--once', '--name', 'e2eonce', '--accel', 'tcg']);
  expect(output).toMatch(/\d+\.\d s {2}machine1 {2}kernel/);
  expect(output).toMatch(/\d+\.\d s {2}machine1 {2}waiting/);
  expect(output).toMatch(/NIC +\S+ +52:54:00:\S+ +→ leaf1 etp/);
  expect(output).toMatch(/disk +\/dev\/nvme0n1 +960 GB/);
  expect(output).toMatch(/BMC +10\.0\.0\.101:623/);
  expect(status).toBe(0);
  expect(leftovers('e2eonce')).toEqual([]);
});

test('Ctrl-C in mid-boot, pressed again and followed by a closed terminal, leaves nothing behind', async () => {
  let interrupted = false;
  const { output } = await npmStart(['--name', 'e2ectrlc', '--accel', 'tcg'], (soFar, signal) => {
    if (interrupted || !/machine1 {2}kernel/.test(soFar)) return;
    interrupted = true;
    for (const name of ['SIGINT', 'SIGINT', 'SIGHUP'] as const) signal(name);
  });
  expect(output).toContain('taking the rack down');
  await expect.poll(() => leftovers('e2ectrlc'), { timeout: 20_000 }).toEqual([]);
});

test('what a lab leaves behind that was killed with SIGKILL is removed by the next one of that name', async () => {
  const options = ['--once', '--name', 'e2ekill', '--accel', 'tcg', '--timeout', '5'];
  let killed = false;
  await npmStart(options, (soFar) => {
    if (killed || !/machine1 {2}power/.test(soFar)) return;
    killed = true;
    const state: { readonly lab: { readonly pid: number } } = JSON.parse(
      readFileSync('/run/ingot-lab/e2ekill/state.json', 'utf8'),
    );
    process.kill(state.lab.pid, 'SIGKILL');
  });
  expect(leftovers('e2ekill')).not.toEqual([]);
  const { output } = await npmStart(options);
  expect(leftovers('e2ekill')).toEqual([]);
  removeLogs(output);
});

test('an option that does not exist is refused with the options there are', async () => {
  const { status, output } = await npmStart(['--firmwere', 'uefi']);
  expect(status).not.toBe(0);
  expect(output).toContain('--firmware bios|uefi');
});

test('a machine that does not wait in time is a failure that says how far it came and where the logs are', async () => {
  const { status, output } = await npmStart(['--once', '--name', 'e2elate', '--accel', 'tcg', '--timeout', '5']);
  expect(status).not.toBe(0);
  expect(output).toMatch(/machine1 does not wait: .*5 s are over/);
  expect(leftovers('e2elate')).toEqual([]);
  removeLogs(output);
});
