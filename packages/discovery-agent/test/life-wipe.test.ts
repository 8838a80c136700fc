import { ApiError, Code } from '@ingot/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Wipe, WipeHooks, WipeResult } from '../src/life/wipe-order.ts';
import { Rig } from './life-rig.ts';
import { uuid } from './machines.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const timeout = 30_000;

/** Records the orders, asks before its one disk as the real one does, and ends as told. */
function wiper(...results: WipeResult[]): { wipe: Wipe; orders: string[]; touched: string[] } {
  const orders: string[] = [];
  const touched: string[] = [];
  const wipe = async ({ id }: { readonly id: string }, { confirm }: WipeHooks): Promise<WipeResult> => {
    orders.push(id);
    const now = await confirm();
    if (typeof now === 'string') return { kind: 'refused', reason: now };
    touched.push(id);
    return results.shift() ?? { kind: 'done', words: '/dev/nvme0n1 by sanitize' };
  };
  return { wipe, orders, touched };
}

test('an ordered machine erases its disks, answers, and only then waits', { timeout }, async () => {
  const { wipe, touched } = wiper();
  rig.orderWipe('order-1');
  await rig.start({ wipe });
  await rig.untilEvent('WAITING');
  expect(touched).toEqual(['order-1']);
  expect(rig.registered.map(({ tags }) => tags[0])).toEqual([
    expect.not.stringContaining('wiped'),
    'ingot.dev/wiped=order-1',
  ]);
  expect(rig.steps.map((event) => event.split(':')[0])).toEqual(['PREPARING', 'REGISTERING', 'WAITING']);
  expect(rig.asked.every((asked) => asked === uuid)).toBe(true);
});

test('without an order nothing is erased', { timeout }, async () => {
  const { wipe, orders } = wiper();
  await rig.start({ wipe });
  await rig.untilEvent('WAITING');
  expect(orders).toEqual([]);
});

test('a machine that is allocated after the question is not touched', { timeout }, async () => {
  const { wipe, orders, touched } = wiper();
  rig.orderWipe('order-1');
  const stale: Wipe = (order, hooks) => {
    rig.allocate();
    return wipe(order, hooks);
  };
  await rig.start({ wipe: stale });
  await rig.until(() => rig.reboots > 0);
  expect([orders, touched]).toEqual([['order-1'], []]);
  expect(rig.said).toContain('nothing more is erased: the machine was allocated as web');
  expect(rig.events.some((event) => event.startsWith('WAITING'))).toBe(false);
});

test.each([
  ['is away', Code.Unavailable],
  ['fails', Code.Internal],
  ['does not know the machine', Code.NotFound],
])(
  'while the API %s nothing is erased and the machine does not wait, until it says',
  { timeout },
  async (_what, code) => {
    const { wipe, orders } = wiper();
    let isThere = false;
    rig.machine = () => {
      if (!isThere) throw new ApiError(code, 'no answer for you');
      return {};
    };
    await rig.start({ wipe });
    await rig.until(() =>
      rig.said.includes('standing waiting for the API to say what this machine is: no answer for you'),
    );
    expect(rig.board.view().waitsFor).toBe('the API to say what this machine is');
    await rig.until(() => rig.asked.length > 4);
    expect(rig.events.some((event) => event.startsWith('WAITING'))).toBe(false);
    isThere = true;
    await rig.untilEvent('WAITING');
    expect(orders).toEqual([]);
  },
);

test('an API that does not let machines read has nothing erased, and machines waiting', { timeout }, async () => {
  const { wipe, orders } = wiper();
  rig.machine = () => {
    throw new ApiError(Code.PermissionDenied, 'not for machines');
  };
  await rig.start({ wipe });
  await rig.untilEvent('WAITING');
  expect(orders).toEqual([]);
  expect(rig.said).toContain('nothing is erased, since the API does not say what this machine is: not for machines');
});

test('a disk that cannot be erased keeps the machine from waiting until the order changes', { timeout }, async () => {
  const { wipe, touched } = wiper({ kind: 'failed', failures: ['/dev/sdb: overwrite: Input/output error'] });
  rig.orderWipe('order-1');
  await rig.start({ wipe });
  await rig.untilEvent('CRASHED: wipe order-1: /dev/sdb: overwrite: Input/output error');
  await rig.untilEvent('ALIVE: wipe', 3);
  expect(touched).toEqual(['order-1']);
  expect(rig.registered).toHaveLength(1);
  expect(rig.board.view().problems).toContain('wipe: /dev/sdb: overwrite: Input/output error');
  rig.orderWipe('order-2');
  await rig.untilEvent('WAITING');
  expect(touched).toEqual(['order-1', 'order-2']);
  expect(rig.board.view().problems.join()).not.toContain('wipe');
});

test('an order that may not be carried out is told once, and carried out when it may', { timeout }, async () => {
  let isLocked = true;
  let tries = 0;
  rig.orderWipe('order-1');
  await rig.start({
    wipe: () => {
      tries += 1;
      const result: WipeResult = isLocked
        ? { kind: 'refused', reason: 'locked by an operator: evidence' }
        : { kind: 'done', words: 'all' };
      return Promise.resolve(result);
    },
  });
  await rig.until(() => tries > 3);
  isLocked = false;
  await rig.untilEvent('WAITING');
  expect(rig.steps.filter((event) => event.startsWith('CRASHED'))).toEqual([
    'CRASHED: wipe order-1: locked by an operator: evidence',
  ]);
  expect(rig.board.view().problems).toEqual([]);
});

test('a wipe that throws is a failed one, and a cancelled order lets the machine wait', { timeout }, async () => {
  rig.orderWipe('order-1');
  await rig.start({ wipe: () => Promise.reject(new Error('sg_sanitize hangs: nothing after 600 s')) });
  await rig.untilEvent('CRASHED: wipe order-1: sg_sanitize hangs: nothing after 600 s');
  rig.machine = () => ({});
  await rig.untilEvent('WAITING');
});

test('an order that comes while the machine waits is carried out at once', { timeout }, async () => {
  const { wipe, touched } = wiper();
  await rig.start({ wipe });
  await rig.until(() => rig.waiting === 1);
  rig.orderWipe('order-1');
  await rig.untilEvent('WAITING', 2);
  expect(touched).toEqual(['order-1']);
  expect(rig.steps.slice(3)).toEqual([
    'PLANNED_REBOOT: there is a wipe order: starting over, without a reboot',
    'PREPARING: there is a wipe order',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
});

test('a wipe of which nothing is heard has stalled, and one that goes on has not', { timeout }, async () => {
  rig.orderWipe('order-1');
  let progress: ((words: string) => void) | undefined;
  await rig.start({
    wipe: (_order, hooks) => {
      ({ progress } = hooks);
      return new Promise(() => undefined);
    },
  });
  await rig.until(() => progress !== undefined);
  for (let minutes = 0; minutes < 30; minutes += 5) {
    await rig.clock.advance(300_000);
    progress?.('/dev/sda overwrite 5 %');
  }
  expect(rig.pulse.stalled()).toBeUndefined();
  await rig.untilEvent('ALIVE: wipe: /dev/sda overwrite 5 %');
  await rig.clock.advance(601_000);
  expect(rig.pulse.stalled()).toBe('life');
});

test('killed between the wipe and its answer, the next run answers and erases nothing again', { timeout }, async () => {
  const { wipe, orders } = wiper();
  rig.state.keepWiped('order-1');
  rig.orderWipe('order-1');
  await rig.start({ wipe });
  await rig.untilEvent('WAITING');
  expect(orders).toEqual([]);
  expect(rig.registered.at(-1)?.tags[0]).toBe('ingot.dev/wiped=order-1');
});
