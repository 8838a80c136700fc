import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { bmcRows } from '../src/bmc/bmc-text.ts';
import { inspectBmc } from '../src/bmc/configure-bmc.ts';
import { openSysfs } from '../src/sysfs.ts';
import { configure, found } from './configure-fake.ts';
import { FakeBmc } from './fake-bmc.ts';
import { fruImage } from './fru-image.ts';
import { plant } from './tree.ts';

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
    expect(bmcRows(undefined, [redfish])).toEqual([
      ['Redfish', '169.254.0.17 port 443', '02:00:00:00:00:2a', 'USB', 'gives accounts to this machine'],
    ]);
  });
});
