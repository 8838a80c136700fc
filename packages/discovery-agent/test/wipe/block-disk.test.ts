import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockClock, mockEntropy, systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { openBlockDisk } from '../../src/wipe/block-disk.ts';
import type { BlockDisk } from '../../src/wipe/block-disk.ts';
import { executeWipe } from '../../src/wipe/execute.ts';
import { operatorPermit } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';
import { disk, facts } from './disks.ts';

/** Real child processes that are no `block-io`: what can go wrong with one that is. */

const signal = new AbortController().signal;

/** The device's name is the script's `$0`. */
async function open(script: string, clock = new MockClock()): Promise<BlockDisk> {
  return await openBlockDisk({ device: '/dev/x', command: ['/bin/sh', '-c', script], clock, signal });
}

const ready = `echo '{"kind":"ready"}'`;

test.each([
  ['ends at once', 'echo "out of memory" >&2; exit 3', 'block-io for /dev/x ended with status 3: out of memory'],
  ['is killed', 'kill -9 $$', 'block-io for /dev/x ended with SIGKILL'],
  ['talks nonsense', 'echo hello; read line', 'block-io says "hello"'],
  ['says what is wrong', `echo '{"kind":"failed","reason":"it is write-protected"}'`, 'it is write-protected'],
  ['answers what was not asked', `echo '{"kind":"done"}'`, 'block-io answered done'],
])('a process that %s is an error in words', async (_, script, reason) => {
  await expect(open(script)).rejects.toThrow(reason);
});

test('a program that is not there is an error in words', async () => {
  const missing = openBlockDisk({ device: '/dev/x', command: ['/nowhere'], clock: new MockClock(), signal });
  await expect(missing).rejects.toThrow('block-io for /dev/x did not start');
});

test('a process that falls silent hangs, and is killed', async () => {
  const clock = new MockClock();
  const opened = await open(`${ready}; exec sleep 1000`, clock);
  const answer = opened.sample([]);
  const rejected = expect(answer).rejects.toThrow('/dev/x hangs: no answer for 180 s');
  await clock.advance(180_000);
  await rejected;
  await expect(opened.sample([])).rejects.toThrow('/dev/x hangs');
});

test('a process that dies in the middle of its work fails that work', async () => {
  const opened = await open(`${ready}; read line; echo '{"kind":"progress","bytes":5}'; exit 7`);
  const told: number[] = [];
  await expect(opened.zero([{ offset: 0, length: 512 }], (bytes) => void told.push(bytes))).rejects.toThrow(
    'block-io for /dev/x ended with status 7',
  );
  expect(told).toEqual([5]);
});

test('so many disks are at work at a time, and no more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-parallel-'));
  try {
    const log = join(directory, 'log');
    const blockIo = ['/bin/sh', '-c', `echo + >>${log}; sleep 0.1; echo - >>${log}; exit 1`];
    const devices = Array.from({ length: 7 }, (_, index) => `/dev/sd${'abcdefg'[index]}`);
    const permit = operatorPermit(devices, devices, systemClock.monotonic());
    const plan = planWipe(permit, facts(devices.map((device) => disk(device))), { blockIo });
    const report = await executeWipe(plan, {
      run: () => Promise.reject(new Error('nothing may run')),
      clock: systemClock,
      entropy: mockEntropy(1),
      signal,
      blockIo,
      onProgress: () => undefined,
      parallel: 3,
    });
    expect(report.verdict).toBe('unclean');
    expect(report.disks.map(({ state }) => state)).toEqual(devices.map(() => 'failed'));
    let running = 0;
    const counts = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (running += line === '+' ? 1 : -1));
    const most = Math.max(...counts);
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
