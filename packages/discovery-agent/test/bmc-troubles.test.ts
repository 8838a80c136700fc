import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { configureBmc } from '../src/bmc/configure-bmc.ts';
import { orderBoot } from '../src/bmc/order-boot.ts';
import { openSysfs } from '../src/sysfs.ts';
import { configure, found } from './configure-fake.ts';
import { FakeBmc, policyOfMetal } from './fake-bmc.ts';
import { plant } from './tree.ts';

describe('a BMC with troubles', () => {
  test.each([0xc0, 0xc3, 0xd2, 0xff])('that answers each command with %i at first is asked again', async (code) => {
    const bmc = new FakeBmc();
    const seen = new Set<string>();
    bmc.fault = ({ name }) => {
      if (seen.has(name)) return undefined;
      seen.add(name);
      return { code };
    };
    expect(found(await configure(bmc)).bmc.account?.user).toBe('metal');
  });

  test('that never answers is given up in bounded time, and the command named', async () => {
    const bmc = new FakeBmc();
    bmc.fault = () => 'silence';
    const { result, tookMs } = await configure(bmc);
    expect(result).toEqual({
      kind: 'unusable',
      reason: 'BMC, Get Device ID: no answer through /dev/ipmi0 within 8000 ms',
    });
    expect(tookMs).toBe(120_000);
    expect(bmc.closed).toBe(true);
  });

  test.each([
    ['says nothing', 'silence'],
    ['says that it is starting', { code: 0xd2 }],
  ] as const)('that %s for 100 s, as one that restarts, is waited for', async (_name, fault) => {
    const bmc = new FakeBmc();
    const clock = new MockClock();
    bmc.fault = () => (clock.monotonic() < 100_000 ? fault : undefined);
    const run = await configure(bmc, { clock });
    expect(found(run).bmc.account?.user).toBe('metal');
    expect(run.tookMs).toBeLessThan(150_000);
  });

  test('that hangs in the middle is registered with what it said, and the command named', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }) => (name === 'Set User Name' ? 'silence' : undefined);
    const run = await configure(bmc, { superUserPassword: 'sesame-open' });
    expect(found(run).bmc).toMatchObject({ address: '10.0.0.101:623', account: undefined });
    expect(found(run).problems.join('\n')).toContain('BMC, Set User Name: no');
    expect(run.tookMs).toBeLessThan(180_000);
  });

  test('whose device cannot be opened says so', async () => {
    using machine = plant({ '/dev/ipmi0': '' });
    const clock = new MockClock();
    const result = await configureBmc(
      {
        sysfs: openSysfs(machine.root),
        clock,
        network: new MockNetwork({ clock }).host('machine', '10.5.0.9/24'),
        entropy: mockEntropy(1),
        signal: new AbortController().signal,
        openIpmi: () => {
          throw new Error('/dev/ipmi0 cannot be opened');
        },
        superUserPassword: () => Promise.resolve(''),
      },
      policyOfMetal,
    );
    expect(result).toEqual({ kind: 'unusable', reason: '/dev/ipmi0 cannot be opened' });
  });

  test('is the end only where policy says that it is required', async () => {
    const bmc = new FakeBmc();
    bmc.fault = () => ({ code: 0xd4 });
    await expect(configure(bmc, { policy: { required: true } })).rejects.toMatchObject({ code: 'bmc-failed' });
    expect((await configure(bmc)).result.kind).toBe('unusable');
  });
});

describe('a boot order on its own', () => {
  const disk = { device: 'disk', persistent: false, mode: 'uefi' } as const;
  const signal = new AbortController().signal;

  test('is set on a BMC without a network', async () => {
    using machine = plant({ '/dev/ipmi0': '' });
    const bmc = new FakeBmc();
    bmc.lans = {};
    const parts = { sysfs: openSysfs(machine.root), clock: new MockClock(), signal, openIpmi: () => bmc };
    expect(await orderBoot(parts, disk)).toEqual({ kind: 'done' });
    expect(bmc.bootFlags).toEqual([0xa0, 0x24, 0, 0, 0]);
  });

  test('waits half a minute for a BMC that hangs, and no longer', async () => {
    using machine = plant({ '/dev/ipmi0': '' });
    const bmc = new FakeBmc();
    bmc.fault = () => 'silence';
    const clock = new MockClock();
    const parts = { sysfs: openSysfs(machine.root), clock, signal, openIpmi: () => bmc };
    let result: unknown;
    void orderBoot(parts, disk).then((outcome) => (result = outcome));
    await clock.advanceUntil(() => result !== undefined);
    expect(result).toMatchObject({ kind: 'unusable', reason: expect.stringContaining('BMC, Get Device ID: no') });
    expect(clock.monotonic()).toBe(30_000);
  });
});
