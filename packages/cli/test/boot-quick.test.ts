import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MockClock } from '@ingot/net';
import { inFlags, quickConfig, type QuickOptions } from '../src/boot/quick-config.ts';
import { quickSockets } from '../src/boot/quick-folder.ts';
import { findPlace, servesOwnLink } from '../src/boot/quick-place.ts';
import { watchStalls } from '../src/boot/quick-stall.ts';

const OWN = [
  { name: 'eth0', address: '10.0.0.1', cidr: '10.0.0.1/24' },
  { name: 'eth1', address: '10.1.0.1', cidr: '10.1.0.1/16' },
];

let folder: string;
let kernel: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quick-'));
  kernel = join(folder, 'vmlinuz');
  writeFileSync(kernel, 'k');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where a one-liner serves', () => {
  it('is the interface or the address that was named, with its network', () => {
    expect(findPlace({ interface: 'eth1' }, OWN)).toEqual({
      interface: 'eth1',
      address: '10.1.0.1',
      subnet: '10.1.0.0/16',
    });
    expect(findPlace({ listen: '10.0.0.1', subnet: '10.0.0.0/25' }, OWN).subnet).toBe('10.0.0.0/25');
  });

  it.each([
    [{}, OWN, 'say where to serve, with --interface: there is eth0 (10.0.0.1), eth1 (10.1.0.1)'],
    [{ listen: '10.9.0.1' }, OWN, 'no interface has 10.9.0.1; there is eth0 (10.0.0.1), eth1 (10.1.0.1)'],
    [{ listen: '10.9.0.1' }, [], 'no interface has 10.9.0.1; there is no address at all'],
    [{ interface: 'eth1', listen: '10.0.0.1' }, OWN, 'eth1 does not have 10.0.0.1; there is eth0 (10.0.0.1), eth1'],
    [{ interface: 'none9' }, OWN, 'there is no interface none9; there is eth0 (10.0.0.1), eth1 (10.1.0.1)'],
    [{ interface: 'lo' }, OWN, 'lo has no IPv4 address that machines can reach; there is eth0'],
    [{}, [], 'this host has no IPv4 address to serve from: give an interface one with ip addr add'],
  ])('says of %j what there is', (flags, own, words) => {
    expect(() => findPlace(flags, own)).toThrow(words);
  });
});

describe('whom a one-liner serves', () => {
  it.each([
    ['10.0.0.0/24', true],
    ['10.0.0.0/25', true],
    ['10.0.0.128/25', false],
    ['10.9.0.0/24', false],
  ])('is in %s on the own link: %s', (subnet, own) => {
    expect(servesOwnLink({ interface: 'eth0', address: '10.0.0.1', subnet })).toBe(own);
  });
});

describe('a machine that does not get on', () => {
  const START = Date.UTC(2026, 0, 1);
  type Machine = ReturnType<Parameters<typeof watchStalls>[0]['machines']>[number];
  const at = (stage: Machine['stage'], isStuck = false, since = START): Machine => ({
    uuid: undefined,
    macs: ['52:54:00:00:01:01'],
    address: undefined,
    stage,
    since,
    isStuck,
    usualMs: undefined,
    boots: 1,
    problem: undefined,
    lastAt: since,
  });
  /** What is said of it within the first minute. */
  async function said(machines: readonly Machine[], leases = false): Promise<string[]> {
    const clock = new MockClock({ nowMs: START });
    const lines: string[] = [];
    const watching = watchStalls({
      clock,
      leases,
      machines: () => machines,
      say: (mac, words) => lines.push(`${mac} ${words}`),
    });
    await clock.advance(60_000);
    watching[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    return lines;
  }

  it('is told of once, with what it may lack', async () => {
    expect(await said([at('offered')])).toEqual([
      expect.stringMatching(/^52:54:00:00:01:01 ! has loaded nothing for 20s: does another DHCP server lease it/),
    ]);
    const [withPool, ...more] = await said([at('offered')], true);
    expect(withPool).toContain('! has loaded nothing for 20s: does a firewall let UDP 69');
    expect(more).toEqual([]);
    expect(await said([at('ipxe', true)])).toEqual([expect.stringContaining('Secure Boot does not start iPXE')]);
    expect(await said([at('tftp', true)])).toEqual([expect.stringContaining('does a firewall drop what TFTP sends?')]);
    expect(await said([at('kernel', true)])).toEqual([expect.stringContaining('is its memory large enough?')]);
  });

  it('is told of again when it stalls again, and not while it gets on', async () => {
    expect(await said([at('tftp'), at('ipxe'), at('script')])).toEqual([]);
    expect(await said([at('offered', false, START + 45_000)])).toEqual([]);
    let since = START;
    const clock = new MockClock({ nowMs: START });
    const lines: string[] = [];
    const watching = watchStalls({
      clock,
      leases: false,
      machines: () => [at('offered', false, since)],
      say: (_mac, words) => lines.push(words),
    });
    await clock.advance(30_000);
    since = clock.now();
    await clock.advance(30_000);
    watching[Symbol.dispose]();
    expect(lines).toHaveLength(2);
  });
});

describe('the boot servers of one-liners', () => {
  it('are found by their folders, those of processes that are gone are not', () => {
    const parent = join(folder, 'tmp');
    const make = (name: string, pid: number): string => {
      const data = join(parent, name, 'data');
      mkdirSync(data, { recursive: true, mode: 0o700 });
      writeFileSync(join(parent, name, 'lock.sqlite'), '');
      writeFileSync(join(data, 'boot-server.pid'), `${pid}\n`);
      writeFileSync(join(data, 'admin.sock'), '');
      return join(data, 'admin.sock');
    };
    const running = make('ingot-boot-abc123', process.pid);
    make('ingot-boot-gone00', 2 ** 22 + 1); // beyond pid_max
    make('something-else', process.pid);
    expect(quickSockets(parent)).toEqual([running]);
  });
});

describe('what a one-liner boots', () => {
  const options = (change: Partial<QuickOptions> = {}): QuickOptions => ({
    place: { interface: 'eth0', address: '10.0.0.1', subnet: '10.0.0.0/24' },
    pool: undefined,
    router: undefined,
    capture: false,
    port: 8080,
    folder,
    linked: [],
    ...change,
  });
  const boot = (path: string): Parameters<typeof quickConfig>[0] => ({
    kernel: path,
    initrds: [],
    cmdline: '',
    message: '',
  });

  it('leases addresses with a pool only, and answers below another server when told to', () => {
    expect(quickConfig(boot(kernel), options()).dhcp).toMatchObject({ mode: 'proxy', capture: false });
    expect(quickConfig(boot(kernel), options({ capture: true })).dhcp).toMatchObject({ mode: 'proxy', capture: true });
    expect(quickConfig(boot(kernel), options({ pool: '10.0.0.100-10.0.0.110' })).dhcp.mode).toBe('server');
  });

  it('is a file that can be read, or a URL', () => {
    expect(() => quickConfig(boot(folder), options())).toThrow(`${folder} is no file`);
    expect(() => quickConfig(boot('/none/at/all'), options())).toThrow(
      '/none/at/all cannot be read: there is no such file',
    );
    expect(() => quickConfig(boot('ftp://10.0.0.9/vmlinuz'), options())).toThrow(
      'name a file, or an http or https URL',
    );
    expect(quickConfig(boot('http://10.0.0.9/vmlinuz'), options()).artifacts.roots).toEqual([]);
  });

  it('may be larger than what a boot server keeps in memory unless told otherwise', () => {
    const large = join(folder, 'large');
    writeFileSync(large, '');
    truncateSync(large, 2 ** 31); // sparse
    expect(quickConfig(boot(kernel), options()).artifacts.maxBytes).toBe(2 ** 30);
    expect(quickConfig(boot(large), options()).artifacts.maxBytes).toBeGreaterThan(2 ** 31);
    const { artifacts } = quickConfig(boot(kernel), options({ linked: [large] }));
    expect(artifacts.maxBytes).toBeGreaterThan(2 ** 31);
    expect(artifacts.roots).toEqual([folder, folder]);
  });

  it('is refused in the words of its flags', () => {
    expect(() => quickConfig(boot(kernel), options({ pool: 'garbage' }))).toThrow(/^--pool: write the first and the/);
    expect(() => quickConfig(boot(kernel), options({ pool: '10.0.0.5-10.0.0.9', router: 'x' }))).toThrow(/^--router: /);
    const place = { interface: 'eth0', address: '10.0.0.1', subnet: '10.0.0.0/33' };
    expect(() => quickConfig(boot(kernel), options({ place }))).toThrow(/^--subnet: /);
    expect(inFlags('dhcp.subnets[0].pool: 10.0.5.1 is not in 10.0.0.0/24')).toBe(
      '--pool: 10.0.5.1 is not in 10.0.0.0/24',
    );
    expect(inFlags('stop the program, or change http.listen')).toBe('stop the program, or take another with --port');
    expect(inFlags('dhcp.capture: it takes CAP_NET_RAW')).toBe('--capture: it takes CAP_NET_RAW');
    expect(inFlags('cannot bind :69: ports below 1024 need CAP_NET_BIND_SERVICE; use the systemd unit')).toBe(
      'cannot bind :69: ports below 1024 are for root: run it as root',
    );
  });
});
