import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { leftovers, prepareImage, root } from './rack-under-test.ts';

beforeAll(prepareImage, 600_000);

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Runs `npm start -- <args>` as a user does, with a pipe for a terminal; `onOutput` sees all output so far. */
function npmStart(
  args: readonly string[],
  onOutput: (output: string, interrupt: () => void) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['start', '--', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    // Ctrl-C reaches the whole foreground process group.
    const interrupt = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGINT'));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        onOutput(output, interrupt);
      });
    }
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
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

test('npm start stays up until Ctrl-C and leaves nothing behind, also in mid-boot', async () => {
  let interrupted = false;
  const { output } = await npmStart(['--name', 'e2ectrlc', '--accel', 'tcg'], (soFar, interrupt) => {
    if (interrupted || !/machine1 {2}kernel/.test(soFar)) return;
    interrupted = true;
    interrupt();
  });
  expect(output).toContain('taking the rack down');
  expect(leftovers('e2ectrlc')).toEqual([]);
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
  const logs = /logs: (\S+)\/log\/\*\.log/.exec(output)?.[1];
  expect(logs).toBeDefined();
  expect(leftovers('e2elate')).toEqual([]);
  if (logs !== undefined) rmSync(logs, { recursive: true });
});
