import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemEntropy } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../src/command.ts';
import { openSysfs } from '../../src/sysfs.ts';
import { openBlockDisk } from '../../src/wipe/block-disk.ts';
import type { BlockDisk } from '../../src/wipe/block-disk.ts';
import { executeWipe } from '../../src/wipe/execute.ts';
import { operatorPermit } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';
import { probeDisks } from '../../src/wipe/probe.ts';
import type { WipeReport } from '../../src/wipe/report.ts';

/** Real block devices of the kernel: files behind loop devices, and the real program that reads and writes them. */

const main = join(import.meta.dirname, '../../src/main.ts');
const agent = [process.execPath, '--disable-warning=ExperimentalWarning', main];
const blockIo = [process.execPath, join(import.meta.dirname, 'block-io-main.ts')];
const mib = 2 ** 20;

let directory: string;
let undo: (() => void)[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ingot-loop-'));
  undo = [() => rmSync(directory, { recursive: true, force: true })];
});

afterEach(() => {
  for (const step of undo.toReversed()) step();
});

interface Loop {
  readonly device: string;
  readonly file: string;
}

function loop(name: string, mebibytes: number, options: readonly string[] = []): Loop {
  const file = join(directory, name);
  writeFileSync(file, Buffer.alloc(mebibytes * mib, `planted on ${name} `));
  const device = execFileSync('losetup', ['--find', '--show', ...options, file], { encoding: 'utf8' }).trim();
  undo.push(() => execFileSync('losetup', ['--detach', device]));
  return { device, file };
}

function command(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const [file = '', ...first] = agent;
  return spawnSync(file, [...first, 'wipe', ...args], { encoding: 'utf8' });
}

const confirmed = ({ device }: Loop): string[] => [device, '--yes-destroy', device];

async function open(device: string, signal: AbortSignal = new AbortController().signal): Promise<BlockDisk> {
  return await openBlockDisk({ device, command: blockIo, clock: systemClock, signal });
}

test('a disk named twice at a shell is zeroes from the first byte to the last', () => {
  const disk = loop('whole', 8);
  const { status, stdout, stderr } = command('--json', ...confirmed(disk));
  expect(status, stderr).toBe(0);
  const report: WipeReport = JSON.parse(stdout);
  expect(report).toMatchObject({ verdict: 'clean', disks: [{ device: disk.device, state: 'wiped' }] });
  expect(readFileSync(disk.file).equals(Buffer.alloc(8 * mib))).toBe(true);
  expect(stderr).toMatch(/^\/dev\/loop\d+ \S+ 100 %/m);
});

test('a rehearsal changes nothing and prints what would be run as an array', () => {
  const disk = loop('rehearsed', 4);
  const before = readFileSync(disk.file);
  const { status, stdout } = command('--dry-run', disk.device);
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(String.raw`^    \[".*","block-io","${disk.device}"\]$`, 'm'));
  expect(readFileSync(disk.file).equals(before)).toBe(true);
});

test('without the second naming nothing happens', () => {
  const disk = loop('once', 4);
  const before = readFileSync(disk.file);
  expect(command(disk.device)).toMatchObject({
    status: 2,
    stdout: '',
    stderr: `everything on it will be lost: add --yes-destroy ${disk.device}\n`,
  });
  expect(readFileSync(disk.file).equals(before)).toBe(true);
});

test('a mounted disk is refused, and with it the free one named beside it', () => {
  const [free, used] = [loop('free', 4), loop('mounted', 4)];
  execFileSync('mkfs.ext4', ['-q', used.device]);
  const mountPoint = join(directory, 'mnt');
  mkdirSync(mountPoint);
  execFileSync('mount', [used.device, mountPoint]);
  undo.push(() => execFileSync('umount', [mountPoint]));
  const before = readFileSync(free.file);
  const { status, stderr } = command(...confirmed(free), ...confirmed(used));
  expect(status).toBe(2);
  expect(stderr).toBe(`nothing was wiped: ${used.device}: in use: mounted on ${mountPoint}; release it first\n`);
  expect(readFileSync(free.file).equals(before)).toBe(true);
});

test('the kernel has the last word on a disk that is mounted after the plan was made', async () => {
  const disk = loop('late', 4);
  execFileSync('mkfs.ext4', ['-q', disk.device]);
  const signal = new AbortController().signal;
  const facts = await probeDisks({ sysfs: openSysfs('/'), run: runCommand, signal, devices: [disk.device] });
  const permit = operatorPermit([disk.device], [disk.device], systemClock.monotonic());
  const plan = planWipe(permit, facts, { blockIo });
  const mountPoint = join(directory, 'mnt');
  mkdirSync(mountPoint);
  execFileSync('mount', [disk.device, mountPoint]);
  undo.push(() => execFileSync('umount', [mountPoint]));
  writeFileSync(join(mountPoint, 'precious'), 'precious');
  const parts = { run: runCommand, clock: systemClock, entropy: systemEntropy, signal, blockIo };
  const report = await executeWipe(plan, { ...parts, onProgress: () => undefined });
  expect(report).toEqual({
    verdict: 'unclean',
    disks: [
      {
        device: disk.device,
        state: 'failed',
        reason: 'in use: something has mounted it or a part of it, or holds it',
        attempts: [],
      },
    ],
  });
  expect(readFileSync(join(mountPoint, 'precious'), 'utf8')).toBe('precious');
});

test('a disk that becomes smaller while it is wiped fails', async () => {
  const disk = loop('shrinks', 16);
  const signal = new AbortController().signal;
  const facts = await probeDisks({ sysfs: openSysfs('/'), run: runCommand, signal, devices: [disk.device] });
  const plan = planWipe(operatorPermit([disk.device], [disk.device], systemClock.monotonic()), facts, { blockIo });
  truncateSync(disk.file, 4 * mib);
  execFileSync('losetup', ['--set-capacity', disk.device]);
  const parts = { run: runCommand, clock: systemClock, entropy: systemEntropy, signal, blockIo };
  const report = await executeWipe(plan, { ...parts, onProgress: () => undefined });
  expect(report).toMatchObject({ verdict: 'unclean', disks: [{ state: 'failed' }] });
});

test('what is read comes from the disk, not from the page cache', async () => {
  const disk = loop('cached', 4, ['--direct-io=on']);
  // Into the page cache of the block device: from now on a plain read is answered from there.
  expect(readFileSync(disk.device).subarray(0, 10).toString()).toBe('planted on');
  const changed = readFileSync(disk.file).fill(0, 0, mib);
  const opened = await open(disk.device);
  try {
    // Behind the back of the block device's cache, as a controller that erases does.
    writeFileSync(disk.file, changed);
    execFileSync('sync', [disk.file]);
    const samples = await opened.sample([{ offset: 0, length: mib }]);
    expect(samples).toMatchObject([{ uniform: 0 }]);
  } finally {
    await opened.close();
  }
});

test('noise is planted where it is asked for, and nowhere else', async () => {
  const disk = loop('noise', 4);
  const opened = await open(disk.device);
  const places = [
    { offset: 0, length: 4096 },
    { offset: 2 * mib, length: 512 },
  ];
  await opened.zero([{ offset: 0, length: 4 * mib }]);
  await opened.plant(places, new Uint8Array(32).fill(7));
  const [first, second] = await opened.sample(places);
  await opened.close();
  const content = readFileSync(disk.file);
  expect([first, second]).toMatchObject([{ uniform: undefined }, { uniform: undefined }]);
  expect(content.subarray(4096, 2 * mib).every((byte) => byte === 0)).toBe(true);
  expect(content.subarray(2 * mib + 512).every((byte) => byte === 0)).toBe(true);
});

test('a disk is held against others while it is open, and free again afterwards', async () => {
  const disk = loop('held', 4);
  const opened = await open(disk.device);
  await expect(open(disk.device)).rejects.toThrow('in use: something has mounted it');
  await opened.close();
  await (await open(disk.device)).close();
});

test('aborting kills whoever works on the disk', async () => {
  const disk = loop('aborted', 4);
  const stop = new AbortController();
  const opened = await open(disk.device, stop.signal);
  stop.abort(new Error('enough'));
  await expect(opened.sample([{ offset: 0, length: 4096 }])).rejects.toThrow('enough');
  await opened.close();
  await (await open(disk.device)).close();
});

test('when the agent is killed, nothing goes on writing', async () => {
  const disk = loop('orphaned', 16);
  // Some hundred gigabytes to write, if nobody stops it.
  const script = `
    const places = Array.from({ length: 16384 }, () => ({ offset: 0, length: ${16 * mib} }));
    const child = require('node:child_process').spawn(...${JSON.stringify([blockIo[0], [...blockIo.slice(1), disk.device]])});
    child.stdout.on('data', (text) => console.log(child.pid, String(text)));
    child.stdin.write(JSON.stringify({ do: 'zero', places }) + '\\n');`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of parent.stdout) {
    said += String(chunk);
    if (said.includes('progress')) parent.kill('SIGKILL');
  }
  const pid = Number(/^\d+/.exec(said)?.[0]);
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000, interval: 50 }).toBe(false);
  await (await open(disk.device)).close();
});

test('nonsense on its input is answered, and does not touch the disk', async () => {
  const disk = loop('nonsense', 4);
  const before = readFileSync(disk.file);
  const [file = '', ...args] = blockIo;
  const child = spawn(file, [...args, disk.device], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end('{"do":"zero","places":[{"offset":-1,"length":4}]}\nrm -rf /\n{"do":"zero"}\n');
  let said = '';
  for await (const chunk of child.stdout) said += String(chunk);
  expect(
    said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).kind),
  ).toEqual(['ready', 'failed', 'failed', 'failed']);
  expect(readFileSync(disk.file).equals(before)).toBe(true);
});
