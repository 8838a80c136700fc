import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import type { CommandOptions } from '../../src/command.ts';
import { NvmeSanitizeState } from '../../src/wipe/facts.ts';
import type { DiskFacts, NvmeSubsystem } from '../../src/wipe/facts.ts';
import { wipeRehearsal } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';
import type { DiskOutcome, WipeProgress } from '../../src/wipe/report.ts';
import { wipeUnit } from '../../src/wipe/wipe-unit.ts';
import { ata, blockIo, disk, facts, namespace, subsystem } from './disks.ts';
import { MemoryDisk } from './memory-disk.ts';
import { sanitizeLog } from './outputs.ts';

const mib = 2 ** 20;
const size = { sizeBytes: 3 * mib };

interface Bench {
  readonly clock: MockClock;
  readonly disks: Map<string, MemoryDisk>;
  readonly commands: string[];
  readonly progress: WipeProgress[];
  readonly stop: AbortController;
  /** Programs at work on a disk, one look after the other. */
  readonly atWork: string[][];
  wipe(disks: readonly DiskFacts[], subsystems?: readonly NvmeSubsystem[]): Promise<DiskOutcome[]>;
}

/** @param program stands for what disks do when they are asked: gives the output, or throws */
function bench(program: (line: string, bench: Bench, options: CommandOptions) => Promise<string> | string): Bench {
  const clock = new MockClock();
  const made: Bench = {
    clock,
    disks: new Map(),
    commands: [],
    progress: [],
    stop: new AbortController(),
    atWork: [],
    async wipe(disks, subsystems = []) {
      const [unit] = planWipe(wipeRehearsal(), facts(disks, subsystems), { blockIo }).units;
      if (unit === undefined) throw new Error('nothing is planned');
      let over = false;
      const parts = {
        clock,
        entropy: mockEntropy(1),
        signal: made.stop.signal,
        async run(file: string, args: readonly string[], options: CommandOptions) {
          const line = [file, ...args].join(' ');
          made.commands.push(line);
          return await program(line, made, options);
        },
        async open(device: string) {
          const found = made.disks.get(device) ?? new MemoryDisk(size.sizeBytes);
          made.disks.set(device, found);
          await Promise.resolve();
          return found;
        },
        atWork: () => made.atWork.shift() ?? [],
        onProgress: (progress: WipeProgress) => void made.progress.push(progress),
      };
      const work = wipeUnit(parts, unit).finally(() => {
        over = true;
      });
      await clock.advanceUntil(() => over);
      return await work;
    },
  };
  return made;
}

const one = namespace('/dev/nvme0n1', 1, size);
const two = namespace('/dev/nvme0n2', 2, size);
const scribbleAll = ({ disks }: Bench, seed: number): void => disks.forEach((found) => found.scribble(seed));
const zeroes = (length: number): Uint8Array => new Uint8Array(length);

test('a crypto sanitize is followed to its end, and counts when nothing of before is left', async () => {
  let asked = 0;
  const made = bench((line, { disks }) => {
    const running = line.startsWith('nvme sanitize ') || (line.startsWith('nvme sanitize-log') && ++asked < 3);
    disks.forEach((found) => {
      found.busy = running;
    });
    if (!line.startsWith('nvme sanitize-log')) return '';
    if (running) return sanitizeLog('(2) Sanitize in Progress.', asked * 0x4000);
    scribbleAll(made, 2);
    return sanitizeLog('(1) Completed.', 0xffff);
  });
  const outcomes = await made.wipe([one, two], [subsystem()]);
  expect(outcomes).toEqual(
    ['/dev/nvme0n1', '/dev/nvme0n2'].map((device) => ({
      device,
      state: 'wiped',
      method: 'nvme-sanitize-crypto',
      seconds: 4,
      samples: expect.any(Number),
      tellingSamples: expect.any(Number),
      attempts: [],
      notes: [],
    })),
  );
  expect(made.commands.filter((line) => !line.includes('-log'))).toEqual([
    'nvme sanitize /dev/nvme0 --sanact=4 --ause',
  ]);
  expect(made.progress.filter(({ device }) => device === '/dev/nvme0n2').map(({ fraction }) => fraction)).toEqual([
    0, 0, 0.25, 0.5, 1,
  ]);
  for (const { content, open } of made.disks.values()) {
    expect(open).toBe(false);
    expect(content.subarray(0, mib)).toEqual(zeroes(mib));
    expect(content.subarray(-mib)).toEqual(zeroes(mib));
  }
});

test('methods that claim to have wiped and have not are found out, down to the overwrite', async () => {
  const made = bench((line) => (line.includes('-log') ? sanitizeLog('(1) Completed.', 0xffff) : ''));
  const [outcome] = await made.wipe([one], [subsystem()]);
  if (outcome?.state !== 'wiped') throw new Error(JSON.stringify(outcome));
  expect(outcome.method).toBe('overwrite');
  expect(outcome.attempts.map(({ method }) => method)).toEqual([
    'nvme-sanitize-crypto',
    'nvme-sanitize-block',
    'nvme-format-crypto',
    'nvme-format-erase',
    'discard',
    'write-zeroes',
  ]);
  expect(outcome.attempts[0]?.reason).toBe('at byte 0 there still is what was there before');
  expect(outcome.attempts[4]?.reason).toBe('at byte 0 there is no zero, but other content');
  expect(made.disks.get('/dev/nvme0n1')?.content).toEqual(zeroes(size.sizeBytes));
});

test('a disk that was blank shows by planted noise that it was wiped', async () => {
  const made = bench(() => '');
  made.disks.set('/dev/vda', new MemoryDisk(size.sizeBytes));
  made.disks.get('/dev/vda')?.content.fill(0);
  const [outcome] = await made.wipe([disk('/dev/vda', { ...size, writeZeroes: true })]);
  if (outcome?.state !== 'wiped') throw new Error(JSON.stringify(outcome));
  expect(outcome.tellingSamples).toBeGreaterThanOrEqual(32);
  expect(outcome.attempts).toEqual([
    { method: 'write-zeroes', reason: expect.stringMatching(/there is no zero, but other content/) },
  ]);
});

test('a disk that fails every method fails with the reasons, and the namespace beside it goes on', async () => {
  const made = bench((line, { disks }) => {
    if (line.includes('--namespace-id=2')) disks.get('/dev/nvme0n2')?.content.fill(0);
    if (line.includes('--namespace-id=2') || line.includes('-log')) return sanitizeLog('(3) Failed.', 0);
    throw new Error(`${line.split(' ')[1]}: refused`);
  });
  const worn = new MemoryDisk(size.sizeBytes);
  worn.worn = true;
  made.disks.set('/dev/nvme0n1', worn);
  const [first, second] = await made.wipe([one, two], [subsystem()]);
  expect(first).toMatchObject({ state: 'failed', reason: 'overwrite: EIO: i/o error, write' });
  expect(first?.state === 'failed' && first.attempts.map(({ reason }) => reason)).toEqual([
    'sanitize: refused; then sanitize: refused',
    'sanitize: refused; then sanitize: refused',
    'format: refused',
    'format: refused',
    expect.stringMatching(/refused/),
    expect.stringMatching(/refused/),
    'EIO: i/o error, write',
  ]);
  expect(second).toMatchObject({ device: '/dev/nvme0n2', state: 'wiped', method: 'nvme-format-crypto' });
});

test('an erase that breaks off takes its password away again', async () => {
  const made = bench((line) => {
    if (line.includes('--security-erase')) throw new Error('SG_IO: bad response');
    if (line.startsWith('blkdiscard')) made.disks.get('/dev/sda')?.content.fill(0);
    return '';
  });
  const [outcome] = await made.wipe([ata('/dev/sda', { enhanced: false }, {}, size)]);
  expect(outcome).toMatchObject({ state: 'wiped', method: 'discard' });
  expect(made.commands.map((line) => line.split(' ').slice(3, 4).join())).toEqual([
    '--security-set-pass',
    '--security-erase',
    '--security-disable',
    '/dev/sda',
  ]);
});

test('a password that is not ours fails the disk before anything is done to it', async () => {
  const made = bench((line) => {
    throw new Error(`${line}: bad password`);
  });
  const [outcome] = await made.wipe([ata('/dev/sda', { enabled: true, locked: true }, {}, size)]);
  expect(outcome).toMatchObject({ state: 'failed', reason: expect.stringMatching(/--security-unlock .*bad password/) });
  expect(made.commands).toHaveLength(1);
  expect(made.disks.size).toBe(0);
});

test('a sanitize of an earlier life is waited for before the disk is touched', async () => {
  let left = 3;
  const made = bench((line) => {
    if (!line.includes('-log')) return '';
    left -= 1;
    if (left < 0) scribbleAll(made, 2);
    return left > 0 ? sanitizeLog('(2) Sanitize in Progress.', 0x8000) : sanitizeLog('(1) Completed.', 0xffff);
  });
  const [outcome] = await made.wipe([one], [subsystem({ sanitizeState: NvmeSanitizeState.InProgress })]);
  expect(outcome).toMatchObject({ state: 'wiped', method: 'nvme-sanitize-crypto' });
  expect(made.commands.slice(0, 4).map((line) => line.split(' ')[1])).toEqual([
    'sanitize-log',
    'sanitize-log',
    'sanitize-log',
    'sanitize',
  ]);
  expect(made.progress[0]).toMatchObject({ method: 'waiting for an earlier erase', fraction: 0.5 });
});

test('a program that a killed agent has left behind is waited for', async () => {
  const made = bench(() => '');
  made.atWork.push(...Array.from({ length: 4 }, () => ['blkdiscard (pid 77)']));
  const [outcome] = await made.wipe([disk('/dev/vda', size)]);
  expect(outcome).toMatchObject({ state: 'wiped', method: 'overwrite', seconds: 0 });
  expect(made.clock.monotonic()).toBe(30_000);
  expect(made.progress.filter(({ method }) => method === 'waiting for an earlier erase')).toHaveLength(3);
});

test('one that never ends is named, and the disk not touched', async () => {
  const made = bench(() => '');
  made.atWork.push(...Array.from({ length: 5_000 }, () => ['hdparm (pid 78)']));
  const [outcome] = await made.wipe([disk('/dev/vda', size)]);
  expect(outcome).toMatchObject({ state: 'failed', reason: 'hdparm (pid 78) hangs: nothing after 43200 s' });
  expect(made.disks.size).toBe(0);
});

test('a command that hangs is named after its deadline, and ends the disk', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const made = bench(async (_line, _bench, { signal }) => {
    signals.push(signal);
    return await new Promise<string>(() => undefined);
  });
  const plain = subsystem({ sanitizeCrypto: false, sanitizeBlock: false });
  const [outcome] = await made.wipe([one], [plain]);
  expect(outcome).toMatchObject({
    state: 'failed',
    reason: 'nvme-format-crypto of /dev/nvme0n1 hangs: nothing after 600 s',
  });
  expect(made.commands).toHaveLength(1);
  expect(signals[0]?.aborted).toBe(true);
  expect(made.progress.at(-1)?.fraction).toBe(0.99);
  expect(made.clock.pendingTimers).toBe(0);
});

test('when it is stopped, what is not wiped has failed, and nothing more is begun', async () => {
  const made = bench(async (_line, { stop }) => {
    stop.abort(new Error('ended by SIGTERM'));
    return await new Promise<string>(() => undefined);
  });
  const outcomes = await made.wipe([one, two], [subsystem()]);
  expect(outcomes.map(({ state }) => state)).toEqual(['failed', 'failed']);
  expect(outcomes[0]).toMatchObject({ reason: 'ended by SIGTERM' });
  expect(made.commands).toHaveLength(1);
});

test('a disk that says nothing of its sanitize is given up, not believed', async () => {
  const made = bench((line) => {
    if (line.includes('-log')) return 'NVMe status: Internal Error';
    if (line.startsWith('nvme format')) scribbleAll(made, 3);
    return '';
  });
  const [outcome] = await made.wipe([one], [subsystem({ sanitizeBlock: false })]);
  expect(outcome).toMatchObject({
    state: 'wiped',
    method: 'nvme-format-crypto',
    attempts: [{ method: 'nvme-sanitize-crypto', reason: '/dev/nvme0 gives no sanitize log that can be read' }],
  });
});

test('a namespace without a block device fails the machine unless a sanitize reached it', async () => {
  const formats = bench(() => {
    scribbleAll(formats, 2);
    return '';
  });
  const hidden = { hiddenNamespaces: [5] };
  const plain = subsystem({ ...hidden, sanitizeCrypto: false, sanitizeBlock: false });
  expect(await formats.wipe([one], [plain])).toMatchObject([
    { device: '/dev/nvme0n1', state: 'wiped', method: 'nvme-format-crypto' },
    { device: '/dev/nvme0 namespace 5', state: 'failed', reason: expect.stringMatching(/no block device here/) },
  ]);
  const sanitizes = bench((line) => {
    scribbleAll(sanitizes, 2);
    return line.includes('-log') ? sanitizeLog('(1) Completed.', 0xffff) : '';
  });
  expect(await sanitizes.wipe([one], [subsystem(hidden)])).toMatchObject([
    { device: '/dev/nvme0n1', state: 'wiped', method: 'nvme-sanitize-crypto' },
  ]);
});

test('partitions are forgotten when nobody holds the disk any more', async () => {
  const made = bench((line) => {
    if (line.startsWith('blockdev')) expect(made.disks.get('/dev/vda')?.open).toBe(false);
    return '';
  });
  const [outcome] = await made.wipe([disk('/dev/vda', { ...size, partitionEdges: [mib, 2 * mib] })]);
  expect(outcome).toMatchObject({ state: 'wiped', method: 'overwrite', notes: [] });
  expect(made.commands).toEqual(['blockdev --rereadpt /dev/vda']);
});
