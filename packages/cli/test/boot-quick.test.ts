import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inFlags, quickConfig, type QuickOptions } from '../src/boot/quick-config.ts';
import { findPlace } from '../src/boot/quick-place.ts';

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
    [{ interface: 'eth9' }, OWN, 'eth9 has no IPv4 address to serve from; there is eth0'],
    [{}, [], 'this host has no IPv4 address to serve from; there is none'],
  ])('says of %j what there is', (flags, own, words) => {
    expect(() => findPlace(flags, own)).toThrow(words);
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
    expect(() => quickConfig(boot('/none/at/all'), options())).toThrow('/none/at/all cannot be read');
    expect(quickConfig(boot('http://10.0.0.9/vmlinuz'), options()).artifacts.roots).toEqual([]);
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
  });
});
