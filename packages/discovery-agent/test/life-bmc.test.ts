import { ApiError, Code } from '@ingot/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeBmc } from './fake-bmc.ts';
import { Rig } from './life-rig.ts';
import type { RigOptions } from './life-rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const timeout = 40_000;
const minuteMs = 60_000;

/** A BMC that tells who it is, and takes no user as long as `refuses`. */
class ReluctantBmc extends FakeBmc {
  refuses = true;
  /** How it refuses. */
  answer: { readonly code: number } | 'silence' = { code: 0xd4 };
  /** When it was asked to make one, milliseconds. */
  readonly triedAtMs: number[] = [];
  override readonly fault = ({ name }: { readonly name: string }): typeof this.answer | undefined => {
    if (name !== 'Set User Name') return undefined;
    this.triedAtMs.push(rig.clock.monotonic());
    return this.refuses ? this.answer : undefined;
  };
}

const withBmc = (bmc: FakeBmc): RigOptions => ({ tree: { '/dev/ipmi0': '' }, openIpmi: () => bmc });

test('a BMC that took no user gets one while the machine waits on, and the API hears of it', { timeout }, async () => {
  const bmc = new ReluctantBmc();
  await rig.start(withBmc(bmc));
  await rig.until(() => rig.waiting === 1 && rig.steps.length === 3);
  expect(rig.registered.map((request) => [request.bmc?.address, request.bmc?.user])).toEqual([['10.0.0.101:623', '']]);
  expect(rig.steps.at(-1)).toMatch(/^WAITING: waiting for allocation; BMC: .*Set User Name/);
  expect(rig.board.view().problems.join()).toMatch(/BMC: .*Set User Name/);
  bmc.refuses = false;
  await rig.until(() => rig.registered.length === 2, 1_000);

  const { address, user, password } = rig.registered[1]?.bmc ?? {};
  expect([address, user]).toEqual(['10.0.0.101:623', 'metal']);
  expect(bmc.users.find(({ name }) => name === 'metal')).toMatchObject({ password, enabled: true });
  expect(rig.registered[1]?.hardware).toEqual(rig.registered[0]?.hardware);
  await rig.until(() => rig.said.includes('registered with its user now'));
  expect([rig.waiting, rig.streams, rig.steps.length]).toEqual([1, 1, 3]);
  expect(rig.board.view().problems.join()).not.toContain('Set User Name');
  const tries = bmc.triedAtMs.length;
  await rig.clock.advance(120 * minuteMs);
  expect([bmc.triedAtMs.length, rig.registered.length]).toEqual([tries, 2]);
});

test(
  'a BMC that never takes a user is tried less and less often, and never keeps the machine from waiting',
  {
    timeout,
  },
  async () => {
    const bmc = new ReluctantBmc();
    await rig.start(withBmc(bmc));
    await rig.until(() => rig.waiting === 1);
    const began = rig.clock.monotonic();
    await rig.until(() => rig.clock.monotonic() - began > 180 * minuteMs, 5_000);
    const rounds = bmc.triedAtMs.filter((at, index, all) => at - (all[index - 1] ?? 0) > minuteMs / 2 && at > began);
    const gaps = rounds.slice(1).map((at, index) => at - (rounds[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(5);
    expect(Math.min(...gaps)).toBeGreaterThan(minuteMs);
    expect(Math.max(...gaps)).toBeLessThan(32 * minuteMs);
    expect(gaps.at(-1) ?? 0).toBeGreaterThan(14 * minuteMs);
    expect([rig.streams, rig.registered.length, rig.steps.length]).toEqual([1, 1, 3]);
  },
);

test('a user that the API cannot be told of is told until it hears', { timeout }, async () => {
  const bmc = new ReluctantBmc();
  const answers = [undefined, Code.Unavailable, Code.Unavailable, undefined];
  await rig.start({
    ...withBmc(bmc),
    boot: {
      register: (request) => {
        rig.registered.push(request);
        const code = answers[rig.registered.length - 1];
        if (code !== undefined) throw new ApiError(code, 'away');
        return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
      },
    },
  });
  await rig.until(() => rig.waiting === 1);
  bmc.refuses = false;
  await rig.until(() => rig.said.includes('registered with its user now'), 1_000);
  const passwords = rig.registered.slice(1).map((request) => request.bmc?.password);
  expect(passwords).toHaveLength(3);
  expect(new Set(passwords).size).toBe(1);
  expect([rig.streams, rig.steps.length]).toEqual([1, 3]);
});

test('an allocation ends the work on the BMC at once', { timeout }, async () => {
  const bmc = new ReluctantBmc();
  await rig.start(withBmc(bmc));
  await rig.until(() => rig.waiting === 1);
  const tries = bmc.triedAtMs.length;
  rig.allocate();
  await rig.until(() => rig.board.view().phase === 'allocated');
  await rig.until(() => rig.said.includes('this agent cannot install'));
  bmc.refuses = false;
  await rig.clock.advance(90 * minuteMs);
  expect([bmc.triedAtMs.length, rig.registered.length]).toEqual([tries, 1]);
});

test('an allocation does not wait for a BMC that hangs', { timeout }, async () => {
  const bmc = new ReluctantBmc();
  await rig.start(withBmc(bmc));
  await rig.until(() => rig.waiting === 1);
  const tries = bmc.triedAtMs.length;
  bmc.answer = 'silence';
  await rig.until(() => bmc.triedAtMs.length > tries, 1_000);
  const began = rig.clock.monotonic();
  rig.allocate();
  // In small steps: real sockets take their time meanwhile, and the BMC's deadline is a minute of virtual time.
  await rig.until(() => rig.said.includes('this agent cannot install'), 1);
  expect(rig.clock.monotonic() - began).toBeLessThan(minuteMs - 10_000);
  expect(rig.registered).toHaveLength(1);
});
