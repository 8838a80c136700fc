import { apiV2, create } from '@ingot/api';
import type { MessageInitShape } from '@ingot/api';
import { MockClock, mockEntropy } from '@ingot/net';
import { expect, expectTypeOf, test } from 'vitest';
import { executeWipe } from '../../src/wipe/execute.ts';
import { operatorPermit, permitMaxAgeMs, wipePermit, wipeRehearsal } from '../../src/wipe/permit.ts';
import type { WipePermit } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';

const uuid = '4c4c4544-0034-4d10-8052-b4c04f4e3232';

type MachineInit = Exclude<MessageInitShape<typeof apiV2.MachineSchema>, apiV2.Machine>;

const ordered: MessageInitShape<typeof apiV2.MetaSchema> = { labels: { labels: { 'ingot.dev/wipe': 'order-1' } } };

function machine(change: Partial<MachineInit> = {}): apiV2.Machine {
  return create(apiV2.MachineSchema, { uuid, meta: ordered, ...change });
}

test('a machine that nobody has and that is ordered to be wiped gets a permit for this order', () => {
  const standing = wipePermit(machine(), uuid, 1000);
  if (standing.kind !== 'granted') throw new Error(standing.reason);
  expect(standing.permit.order).toBe('order-1');
  expect(standing.permit.devices).toBeUndefined();
  expect(standing.permit.ageMs(4000)).toBe(3000);
});

test.each([
  ['is not known', undefined, /does not know this machine/],
  ['is allocated', machine({ allocation: { project: 'p1' } }), /allocated to project p1/],
  ['is another one', machine({ uuid: '00000000-0000-0000-0000-000000000001' }), /answered about machine 0000/],
  ['has no UUID', machine({ uuid: '' }), /about machine \(none\)/],
  ['has no order', machine({ meta: {} }), /nobody has ordered it/],
  ['has an empty order', machine({ meta: { labels: { labels: { 'ingot.dev/wipe': '' } } } }), /nobody has ordered it/],
  [
    'is locked by an operator',
    machine({ status: { condition: { state: apiV2.MachineState.LOCKED, description: 'evidence' } } }),
    /locked by an operator: evidence/,
  ],
])('a machine that %s gets none', (_, answer, reason) => {
  expect(wipePermit(answer, uuid, 0)).toEqual({ kind: 'refused', reason: expect.stringMatching(reason) });
});

test('an answer about no machine in particular grants nothing to a machine without a UUID', () => {
  expect(wipePermit(machine({ uuid: '' }), '', 0).kind).toBe('refused');
});

test('neither a look-alike nor a rehearsal is a permit for the compiler', () => {
  const lookAlike = { reason: '', order: '', devices: undefined, ageMs: () => 0 };
  expectTypeOf(lookAlike).not.toExtend<WipePermit>();
  expectTypeOf(wipeRehearsal()).not.toExtend<WipePermit>();
  const rehearsed = planWipe(wipeRehearsal(), { disks: [], subsystems: [] }, { blockIo: [] });
  expectTypeOf(rehearsed).not.toExtend<Parameters<typeof executeWipe>[0]>();
});

test('an operator gets one for the devices that were named twice, and for no others', () => {
  expect(operatorPermit(['/dev/sda', '/dev/nvme0n1'], ['/dev/nvme0n1', '/dev/sda'], 0).devices).toEqual([
    '/dev/sda',
    '/dev/nvme0n1',
  ]);
});

test.each([
  [[], [], /name the devices/],
  [['/dev/sda'], [], /add --yes-destroy \/dev\/sda/],
  [['/dev/sda', '/dev/sdb'], ['/dev/sda'], /add --yes-destroy \/dev\/sdb/],
  [['/dev/sda'], ['/dev/sda', '/dev/sdb'], /\/dev\/sdb, which is not among/],
  [['sda'], ['sda'], /no name of a whole disk/],
  [['/dev/sda;reboot'], ['/dev/sda;reboot'], /no name of a whole disk/],
  [['/dev/../etc/passwd'], ['/dev/../etc/passwd'], /no name of a whole disk/],
  [['/dev/-x'], ['/dev/-x'], /no name of a whole disk/],
])('an operator who names %j and confirms %j is refused', (devices, confirmed, reason) => {
  expect(() => operatorPermit(devices, confirmed, 0)).toThrow(reason);
});

test('a permit goes bad', async () => {
  const clock = new MockClock();
  const plan = planWipe(
    operatorPermit(['/dev/sda'], ['/dev/sda'], clock.monotonic()),
    { disks: [], subsystems: [] },
    { blockIo: [] },
  );
  const parts = {
    run: () => Promise.reject(new Error('nothing may run')),
    clock,
    entropy: mockEntropy(1),
    signal: new AbortController().signal,
    blockIo: [],
    onProgress: () => undefined,
  };
  await expect(executeWipe(plan, parts)).resolves.toEqual({ verdict: 'clean', disks: [] });
  await clock.advance(permitMaxAgeMs + 1);
  await expect(executeWipe(plan, parts)).rejects.toThrow('the permit to wipe is 60 s old; ask the API again');
});
