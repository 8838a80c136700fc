import { apiV2, create } from '@ingot/api';
import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { wipeDisks } from '../src/life/wipe-disks.ts';
import type { WipeOrder } from '../src/life/standing.ts';
import type { WipeResult } from '../src/life/wipe-order.ts';
import { openSysfs } from '../src/sysfs.ts';
import { epyc, uuid } from './machines.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

const order = (machine: Partial<apiV2.Machine> = {}): WipeOrder => ({
  id: 'order-1',
  machine: Object.assign(
    create(apiV2.MachineSchema, { uuid, meta: { labels: { labels: { 'ingot.dev/wipe': 'order-1' } } } }),
    machine,
  ),
  askedAtMs: 0,
});

/** Carries out an order on `tree`; `answers` are what the API says before the plan and before each disk. */
async function wipe(
  tree: Tree,
  first: WipeOrder,
  ...answers: readonly (WipeOrder | string)[]
): Promise<{ result: WipeResult; programs: string[]; asked: number }> {
  using machine = plant(tree);
  const programs: string[] = [];
  let asked = 0;
  const carryOut = wipeDisks({
    sysfs: openSysfs(machine.root),
    run: (file, args) => {
      programs.push([file, ...args].join(' '));
      return Promise.reject(new Error(`no ${file}`));
    },
    clock: new MockClock(),
    entropy: mockEntropy(1),
    blockIo: ['/nonexistent/block-io'],
  });
  const result = await carryOut(first, {
    uuid,
    signal: new AbortController().signal,
    confirm: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)] ?? 'no answer'),
    progress: () => undefined,
  });
  return { result, programs, asked };
}

test('an order about a locked or another machine is refused before any disk is looked at', async () => {
  const status = create(apiV2.MachineStatusSchema, {
    condition: { state: apiV2.MachineState.LOCKED, description: 'evidence' },
  });
  const locked = await wipe(epyc, order({ status }), order());
  expect(locked.result).toEqual({ kind: 'refused', reason: 'locked by an operator: evidence' });
  const another = await wipe(epyc, order({ uuid: '00000000-0000-4000-8000-000000000001' }), order());
  expect(another.result.kind).toBe('refused');
  expect([...locked.programs, ...another.programs]).toEqual([]);
});

test('an order that is gone when the disks are known, or right before one, erases nothing more', async () => {
  const before = await wipe(epyc, order(), 'the order was taken back');
  expect(before).toMatchObject({ result: { kind: 'refused', reason: 'the order was taken back' }, asked: 1 });
  const between = await wipe(epyc, order(), order(), 'the machine was allocated as web');
  expect(between.result).toEqual({ kind: 'refused', reason: 'the machine was allocated as web' });
  expect(between.asked).toBeGreaterThan(1);
});

test('each disk that fails is named', async () => {
  const { result } = await wipe(epyc, order(), order());
  expect(result.kind).toBe('failed');
  const failures = result.kind === 'failed' ? result.failures : [];
  expect(failures.map((failure) => failure.split(':')[0])).toEqual([
    '/dev/nvme0n1',
    '/dev/nvme10n1',
    '/dev/nvme1n1',
    '/dev/nvme2n1',
  ]);
});

test('a machine without disks has nothing to erase', async () => {
  expect(await wipe({ '/sys/class/dmi/id/product_uuid': uuid }, order(), order())).toMatchObject({
    result: { kind: 'done', words: 'there is no disk to erase' },
    programs: [],
  });
});
