import { inspect } from 'node:util';
import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import type { BmcSearch } from '../src/bmc/bmc.ts';
import { bmcRows } from '../src/bmc/bmc-text.ts';
import { configureBmc, inspectBmc } from '../src/bmc/configure-bmc.ts';
import type { BmcPolicy } from '../src/bmc/configure-bmc.ts';
import { openSysfs } from '../src/sysfs.ts';
import { FakeBmc, policyOfMetal } from './fake-bmc.ts';
import { fruImage } from './fru-image.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

interface Setting {
  readonly policy?: Partial<BmcPolicy>;
  readonly superUserPassword?: string;
  readonly tree?: Tree;
  readonly seed?: number;
  readonly clock?: MockClock;
}

interface Run {
  readonly result: BmcSearch;
  readonly tookMs: number;
}

/** Configures `bmc` in virtual time. */
async function configure(bmc: FakeBmc, setting: Setting = {}): Promise<Run> {
  using machine = plant(setting.tree ?? { '/dev/ipmi0': '' });
  const { clock = new MockClock() } = setting;
  const parts = {
    sysfs: openSysfs(machine.root),
    clock,
    entropy: mockEntropy(setting.seed ?? 1),
    signal: new AbortController().signal,
    // Nobody is at the BMC's address: as a rule it is on a network of its own.
    network: new MockNetwork({ clock }).host('machine', '10.5.0.9/24'),
    openIpmi: () => bmc,
    superUserPassword: () => Promise.resolve(setting.superUserPassword ?? ''),
  };
  let outcome: BmcSearch | Error | undefined;
  void configureBmc(parts, { ...policyOfMetal, ...setting.policy }).then(
    (search) => (outcome = search),
    (error: unknown) => (outcome = error instanceof Error ? error : new Error(String(error))),
  );
  await clock.advanceUntil(() => outcome !== undefined);
  if (outcome === undefined) throw new Error('no outcome');
  if (outcome instanceof Error) throw outcome;
  return { result: outcome, tookMs: clock.monotonic() };
}

function found({ result }: Run): Extract<BmcSearch, { kind: 'found' }> {
  if (result.kind !== 'found') throw new Error(`not found: ${JSON.stringify(result)}`);
  return result;
}

const passwordOf = (run: Run): string => found(run).bmc.account?.password.reveal() ?? '';

describe('what is registered', () => {
  test('a BMC is found with address, MAC, firmware, power and protocol', async () => {
    const { bmc, problems } = found(await configure(new FakeBmc()));
    expect(bmc).toMatchObject({
      address: '10.0.0.101:623',
      mac: '02:00:00:bb:00:65',
      interface: 'lanplus',
      version: '1.74',
      powerState: 'ON',
      account: { user: 'metal' },
    });
    expect(problems).toEqual(['BMC, Get FRU Inventory Area Info: completion code 0xcb (Not present)']);
  });

  test('a machine without a BMC is normal', async () => {
    const bmc = new FakeBmc();
    expect((await configure(bmc, { tree: { '/dev/null': '' } })).result).toEqual({ kind: 'none' });
    expect(bmc.asked).toEqual([]);
  });

  test('a BMC that SMBIOS promises and no driver has found is not taken for none', async () => {
    const promise = Uint8Array.of(38, 18, 0, 0x26, 1, 0x20, ...Array.from({ length: 12 }, () => 0), 0, 0);
    const tree = { '/sys/firmware/dmi/tables/DMI': promise };
    const { result, tookMs } = await configure(new FakeBmc(), { tree });
    expect(result).toMatchObject({ kind: 'unusable', reason: expect.stringContaining('/dev/ipmi0') });
    expect(tookMs).toBeGreaterThanOrEqual(10_000);
  });

  test('the channel with an address is used, and the user is let in by it', async () => {
    const bmc = new FakeBmc();
    bmc.lans = {
      1: { ip: [0, 0, 0, 0], mac: [2, 0, 0, 0, 0, 1], source: 1, ipv6: [] },
      8: { ip: [10, 1, 2, 3], mac: [2, 0, 0, 0, 0, 8], source: 1, ipv6: [] },
    };
    const channels = new Set<number>();
    bmc.fault = ({ name }, [flags = 0]) => {
      if (name === 'Set User Access') channels.add(flags & 0x0f);
      return undefined;
    };
    expect(found(await configure(bmc)).bmc).toMatchObject({ address: '10.1.2.3:623', mac: '02:00:00:00:00:08' });
    expect([...channels]).toEqual([8]);
  });

  test.each([
    ['switched off', [0x00, 0x04], "IPMI over LAN is switched off on the BMC's LAN channel 1"],
    ['for operators only', [0x02, 0x03], "nobody may be administrator on the BMC's LAN channel 1"],
  ])('a LAN channel that is %s is said', async (_name, access, problem) => {
    const bmc = new FakeBmc();
    bmc.channelAccess = access;
    expect(found(await configure(bmc)).problems.join('\n')).toContain(problem);
  });

  test('a BMC with IPv6 alone is registered by its global address', async () => {
    const bmc = new FakeBmc();
    const linkLocal = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const global = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    bmc.lans = { 1: { ip: [0, 0, 0, 0], mac: [2, 0, 0, 0, 0, 1], source: 1, ipv6: [linkLocal, global] } };
    expect(found(await configure(bmc)).bmc.address).toBe('[2001:db8::1]:623');
  });

  test.each([
    ['0.0.0.0', [0, 0, 0, 0]],
    ['169.254.3.4', [169, 254, 3, 4]],
    ['255.255.255.255', [255, 255, 255, 255]],
  ])('an address of %s is not registered', async (_name, ip) => {
    const bmc = new FakeBmc();
    bmc.lans = { 1: { ip, mac: [2, 0, 0, 0, 0, 1], source: 1, ipv6: [] } };
    const { result } = await configure(bmc);
    expect(result).toEqual({ kind: 'unusable', reason: 'the BMC has no address on its LAN channel 1' });
  });

  test('an address that comes by DHCP is waited for', async () => {
    const bmc = new FakeBmc();
    const lan = { ip: [0, 0, 0, 0], mac: [2, 0, 0, 0, 0, 1], source: 2, ipv6: [] };
    bmc.lans = { 1: lan };
    let looks = 0;
    bmc.fault = ({ name }) => {
      if (name === 'Get Channel Info' && ++looks === 25) lan.ip = [10, 9, 8, 7];
      return undefined;
    };
    expect(found(await configure(bmc)).bmc.address).toBe('10.9.8.7:623');
  });
});

describe('the user', () => {
  test('is made in a free slot, verified, and nobody else is touched', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(3), { name: 'monitoring', password: 'theirs', enabled: true, privilege: 2 });
    const others = structuredClone([1, 2, 3, 4].map((id) => bmc.user(id)));
    const run = await configure(bmc);
    // Supermicro: slot 10.
    expect(bmc.user(10)).toEqual({
      name: 'metal',
      password: passwordOf(run),
      size: 20,
      enabled: true,
      messaging: true,
      privilege: 4,
    });
    expect([1, 2, 3, 4].map((id) => bmc.user(id))).toEqual(others);
    expect(passwordOf(run)).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{20}$/);
  });

  test('is found by name wherever it is, and gets a new password each time', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(7), { name: 'metal', password: 'old' });
    const first = passwordOf(await configure(bmc, { seed: 1 }));
    const second = passwordOf(await configure(bmc, { seed: 2 }));
    expect(second).not.toBe(first);
    expect(bmc.user(7).password).toBe(second);
    expect(bmc.user(10).name).toBe('');
    expect(bmc.asked).not.toContain('Set User Name');
  });

  test('takes the next free slot when the vendor’s is taken, never 1, a fixed or an anonymous one', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(10), { name: 'someone' });
    bmc.fixedNames = 3;
    Object.assign(bmc.user(4), { enabled: true, messaging: true, privilege: 4 });
    await configure(bmc);
    expect(bmc.users.map(({ name }) => name).indexOf('metal') + 1).toBe(5);
    expect(bmc.user(10).name).toBe('someone');
  });

  test('is not made when all slots are taken: that is said, and the BMC registered without', async () => {
    const bmc = new FakeBmc(4);
    for (const id of [3, 4]) Object.assign(bmc.user(id), { name: `user${id}`, enabled: true });
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account).toBeUndefined();
    expect(problems).toContain('no free slot for the user metal; remove one of ADMIN, user3, user4');
    await expect(configure(bmc, { policy: { required: true } })).rejects.toThrow('no free slot');
  });

  test('has 16 characters where the BMC takes no 20', async () => {
    const bmc = new FakeBmc();
    bmc.passwordSizes = [16];
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(bmc.user(10)).toMatchObject({ password: passwordOf(run), size: 16 });
  });

  test('has 16 characters where the BMC takes 20 and compares 16', async () => {
    const bmc = new FakeBmc();
    bmc.compares = 16;
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(bmc.user(10)).toMatchObject({ password: passwordOf(run), size: 16 });
    expect(found(run).problems).toHaveLength(1);
  });

  test('has 16 characters, and is said to be unverified, where the BMC calls every password right', async () => {
    const bmc = new FakeBmc();
    bmc.compares = 0;
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(found(run).problems.join('\n')).toContain(
      'the password of metal is not verified: no answer from 10.0.0.101',
    );
  });

  test('has 16 characters in the form of 20 bytes on a Lenovo that cannot test them', async () => {
    const bmc = new FakeBmc();
    bmc.deviceId = [0x20, 0x81, 0x01, 0x74, 0x02, 0x9f, 0x66, 0x4a, 0x00, 0x21, 0x0b];
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Password' && operation === 3 ? { code: 0xc1 } : undefined;
    const run = await configure(bmc);
    expect(bmc.user(3)).toMatchObject({ name: 'metal', password: passwordOf(run), size: 20 });
    expect(passwordOf(run)).toHaveLength(16);
  });

  test('is not registered when the BMC took a password and kept another', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }, [, operation]) => (name === 'Set User Password' && operation === 2 ? [] : undefined);
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account).toBeUndefined();
    expect(problems).toContain('nobody can log in as metal: the BMC took a password and has another one now');
  });

  test('is not registered when it is no administrator in the end', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }) => (name === 'Set User Access' ? [] : undefined);
    expect(found(await configure(bmc)).problems).toContain(
      'the user metal in slot 10 may not use IPMI over the LAN after it was set up',
    );
  });

  test('is registered when the BMC cannot test passwords or has no serial console, and both are said', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Payload Access' || (name === 'Set User Password' && operation === 3)
        ? { code: 0xc1 }
        : undefined;
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account?.user).toBe('metal');
    expect(problems.join('\n')).toContain(
      'is not verified: no answer from 10.0.0.101, and the BMC cannot test passwords',
    );
    expect(problems.join('\n')).toContain('no serial console over LAN');
  });

  test('is left alone, and so is the superuser, where policy says so', async () => {
    const bmc = new FakeBmc();
    const before = structuredClone(bmc.users);
    const run = await configure(bmc, { policy: { userName: undefined }, superUserPassword: 'sesame-open' });
    expect(found(run).bmc.account).toBeUndefined();
    expect(bmc.users).toEqual(before);
  });

  test('has a password that no text of the result shows', async () => {
    const run = await configure(new FakeBmc());
    const { bmc } = found(run);
    const texts = [JSON.stringify(run.result), String(bmc.account?.password), inspect(bmc)];
    for (const text of texts) expect(text).not.toContain(passwordOf(run));
  });
});

describe('the superuser', () => {
  test('is made with the operator’s password', async () => {
    const bmc = new FakeBmc();
    expect(found(await configure(bmc, { superUserPassword: 'sesame-open' })).problems).toHaveLength(1);
    expect(bmc.user(4)).toMatchObject({ name: 'root', password: 'sesame-open', size: 16, enabled: true, privilege: 4 });
  });

  test('gets it also on a BMC that cannot say whether it needs one', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(4), { name: 'root', password: 'old' });
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Password' && operation === 3 ? { code: 0xc1 } : undefined;
    await configure(bmc, { superUserPassword: 'sesame-open' });
    expect(bmc.user(4).password).toBe('sesame-open');
  });

  test('keeps it when it is that already, whatever its length', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(5), { name: 'root', password: 'sesame-open', size: 20, enabled: false });
    const set: number[] = [];
    bmc.fault = ({ name }, [id = 0, operation]) => {
      if (name === 'Set User Password' && operation === 2) set.push(id & 0x3f);
      return undefined;
    };
    await configure(bmc, { superUserPassword: 'sesame-open' });
    expect(set).toEqual([10]);
    expect(bmc.user(5)).toMatchObject({ enabled: true, messaging: true, privilege: 4 });
  });

  test('is left out when the API gives no password', async () => {
    const bmc = new FakeBmc();
    await configure(bmc);
    expect(bmc.users.map(({ name }) => name)).not.toContain('root');
  });

  test('is refused a password that IPMI cannot hold', async () => {
    const { problems } = found(await configure(new FakeBmc(), { superUserPassword: 'x'.repeat(21) }));
    expect(problems.join('\n')).toContain('longer than the 20 bytes');
    expect(problems.join('\n')).not.toContain('xxx');
  });
});

describe('the boot order', () => {
  test.each([
    ['pxe', true, 'uefi', [0xe0, 0x04, 0, 0, 0]],
    ['pxe', false, 'bios', [0x80, 0x04, 0, 0, 0]],
    // Supermicro's disk.
    ['disk', false, 'uefi', [0xa0, 0x24, 0, 0, 0]],
  ] as const)('%s, persistent %s, %s', async (device, persistent, mode, flags) => {
    const bmc = new FakeBmc();
    await configure(bmc, { policy: { bootOrder: { device, persistent, mode } } });
    expect(bmc.bootFlags).toEqual(flags);
  });

  test('that does not stick is a problem, not the end', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }) => (name === 'Set System Boot Options' ? [] : undefined);
    const policy = { bootOrder: { device: 'pxe', persistent: true, mode: 'uefi' } } as const;
    const { bmc: registered, problems } = found(await configure(bmc, { policy }));
    expect(registered.account?.user).toBe('metal');
    expect(problems.join('\n')).toContain('took the boot flags, but has others now');
  });
});

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

describe('the inventory', () => {
  test('reads the BMC, changes nothing, and waits for nothing', async () => {
    using machine = plant({ '/dev/ipmi0': '' });
    const bmc = new FakeBmc();
    bmc.fru = fruImage({ product: ['Supermicro', 'AS -1114S', 'AS -1114S-WN10RT', '1.0', 'S432871X1A11234'] });
    const signal = new AbortController().signal;
    const parts = { sysfs: openSysfs(machine.root), clock: new MockClock(), signal, openIpmi: () => bmc };
    const search = await inspectBmc(parts);
    expect(bmc.asked.filter((name) => name.startsWith('Set '))).toEqual([]);
    expect(bmcRows(search, [])).toEqual([
      ['BMC', '10.0.0.101:623', '02:00:00:bb:00:65', 'firmware 1.74', 'serial S432871X1A11234'],
    ]);
    bmc.lans = { 1: { ip: [0, 0, 0, 0], mac: [2, 0, 0, 0, 0, 1], source: 2, ipv6: [] } };
    expect(bmcRows(await inspectBmc(parts), [])).toEqual([
      ['BMC', expect.stringContaining('no address on its LAN channel 1')],
    ]);
  });

  test('names the way to Redfish', () => {
    const redfish = {
      device: 'usb',
      mac: '02:00:00:00:00:2a',
      hostAddress: '169.254.0.18',
      hostAssignment: 'static',
      serviceAddress: '169.254.0.17',
      servicePort: 443,
      serviceName: 'bmc1',
      vlan: 0,
      canBootstrapCredentials: true,
    } as const;
    expect(bmcRows({ kind: 'none' }, [redfish])).toEqual([
      ['Redfish', '169.254.0.17 port 443', '02:00:00:00:00:2a', 'USB', 'gives accounts to this machine'],
    ]);
  });
});
