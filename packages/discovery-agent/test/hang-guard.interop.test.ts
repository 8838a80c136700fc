import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openHangGuard } from '../src/inventory/hang-guard.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { machines } from './machines/all.ts';
import { plant } from './tree.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A file system that answers nothing, ever: whoever reads below the directory waits in the kernel. */
function hangingMount(directory: string): Disposable & { readonly device: string } {
  mkdirSync(directory, { recursive: true });
  const device = '/dev/fuse';
  const fuse = openSync(device, 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse', 'none', directory, '-o', options], {
    stdio: ['ignore', 'inherit', 'inherit', fuse],
  });
  if (mounted.status !== 0) {
    closeSync(fuse);
    throw new Error(`mounting ${directory} failed`);
  }
  return {
    device,
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', directory]);
      closeSync(fuse);
    },
  };
}

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly complaints: string;
}

function inventory(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, 'inventory', ...args], { timeout: 50_000, killSignal: 'SIGTERM' });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    child.on('error', reject).on('close', (status, signal) => resolve({ status, signal, output, complaints }));
  });
}

const hasFuse = existsSync('/dev/fuse');

test.skipIf(!hasFuse)(
  'a collector that hangs in the kernel is ended by the deadline and named; without it the rest is told',
  async () => {
    using machine = plant(machines['xeon-one-socket'] ?? {});
    rmSync(join(machine.root, 'sys/class/tpm'), { recursive: true });
    using hanging = hangingMount(join(machine.root, 'sys/class/tpm'));
    expect(hanging.device).toBe('/dev/fuse');

    const ended = await inventory('--json', '--root', machine.root, '--timeout', '3');
    expect(ended).toMatchObject({ signal: 'SIGKILL', output: '' });
    expect(ended.complaints).toBe('collector tpms gave no answer within 3 s\n');

    const rest = await inventory('--json', '--root', machine.root, '--without', 'tpms');
    expect(rest.status).toBe(0);
    expect(JSON.parse(rest.output)).toMatchObject({
      tpms: [],
      cpus: [{ cores: 8 }],
      problems: ['tpms: left out, since it gave no answer before'],
    });
  },
);

test.skipIf(!hasFuse)('the run after one that was ended knows what hung, and its last words are there', async () => {
  using machine = plant(machines['xeon-one-socket'] ?? {});
  rmSync(join(machine.root, 'sys/class/tpm'), { recursive: true });
  using hanging = hangingMount(join(machine.root, 'sys/class/tpm'));
  expect(hanging.device).toBe('/dev/fuse');
  const directory = mkdtempSync(join(tmpdir(), 'ingot-guard-'));
  try {
    const guarded = `
      import { openHangGuard } from ${JSON.stringify(new URL('../src/inventory/hang-guard.ts', import.meta.url).href)};
      import { takeInventory } from ${JSON.stringify(new URL('../src/inventory/inventory.ts', import.meta.url).href)};
      import { openSysfs } from ${JSON.stringify(new URL('../src/sysfs.ts', import.meta.url).href)};
      using guard = openHangGuard({ directory: process.argv[1], keep: true, deadlineMs: 3000 });
      console.log(takeInventory(openSysfs(process.argv[2]), guard).problems.join());`;
    const run = (): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ['--input-type=module-typescript', '-e', guarded, directory, machine.root], {
        encoding: 'utf8',
        timeout: 50_000,
      });
    expect(run()).toMatchObject({ signal: 'SIGKILL' });
    expect(readFileSync(join(directory, 'reason'), 'utf8')).toBe('collector tpms gave no answer within 3 s');
    expect(run()).toMatchObject({ status: 0, stdout: 'tpms: left out, since it gave no answer before\n' });
    expect(existsSync(join(directory, 'collector'))).toBe(false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a guard that was not needed leaves nothing behind', async () => {
  using machine = plant(machines['microvm'] ?? {});
  const directory = mkdtempSync(join(tmpdir(), 'ingot-guard-'));
  {
    using guard = openHangGuard({ directory, keep: false, deadlineMs: 1_234_000 });
    takeInventory(openSysfs(machine.root), guard);
  }
  expect(existsSync(directory)).toBe(false);
  // What was killed ends when it next gets a processor.
  const processes = (): string => spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
  await expect.poll(processes).not.toContain(directory);
  await expect.poll(processes).not.toContain('sleep 1234');
});
