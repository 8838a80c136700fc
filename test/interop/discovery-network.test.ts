import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createImageSandbox, type ImageSandbox } from '../support/image-sandbox.ts';
import { createNamespacePair, type NamespacePair, type Started } from '../support/namespace-pair.ts';

// The network of the discovery image: its own scripts under busybox, udhcpc and dhcpcd, beside dnsmasq.

let pair: NamespacePair;
beforeEach(async () => {
  pair = await createNamespacePair();
  await pair.run('client', ['ip', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global']);
});
afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

const soon = { timeout: 20_000, interval: 100 };

/** dnsmasq forgets its leases when it is started again, unless `leases` names their file. */
function dnsmasq(words: string, leases = '/dev/null'): Promise<Started> {
  const always = `dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --log-facility=- --no-ping --pid-file --dhcp-authoritative --dhcp-leasefile=${leases}`;
  return pair.start('server', [...always.split(' '), ...words.split(' ')], { ready: /started/ });
}

const ip = async (words: string): Promise<string> =>
  (await pair.run('client', ['ip', ...words.split(' ')])).replaceAll(/ +/g, ' ').trim();
/** As `10.9.64.7/16`, the first first. */
const addresses = async (nic: string, family: '-4' | '-6' = '-4'): Promise<string[]> =>
  [...(await ip(`-o ${family} addr show dev ${nic} scope global`)).matchAll(/inet6? (\S+)/g)].map(
    ([, one = '']) => one,
  );

async function bootNic(): Promise<string> {
  const mac = /ether (\S+)/.exec(await ip('link show dev eth0'))?.[1] ?? '';
  return `BOOTIF=01-${mac.toUpperCase().replaceAll(':', '-')}`;
}

async function leased(image: ImageSandbox, nic: string, pattern: RegExp): Promise<string> {
  return vi.waitFor(async () => {
    const all = await addresses(nic);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatch(pattern);
    expect(image.run('resolv.conf')).toMatch(/nameserver 10/);
    return all[0] ?? '';
  }, soon);
}

describe('a lease of the discovery image', () => {
  it('that the server refuses gives way to another: address, routes, name servers', async () => {
    const image = createImageSandbox(pair, `quiet ${await bootNic()}`);
    const first = await dnsmasq(
      '--dhcp-range=10.9.64.10,10.9.64.20,255.255.0.0,2m --dhcp-option=3,10.9.0.1 --dhcp-option=6,10.9.0.53',
    );
    const client = await image.start('lease.sh', ['eth0']);
    const before = await leased(image, 'eth0', /^10\.9\.64\.\d+\/16$/);
    expect(await ip('route show default')).toBe('default via 10.9.0.1 dev eth0 metric 50');
    expect(image.run('resolv.conf')).toBe('nameserver 10.9.0.53\n');
    await first.stop();

    await dnsmasq(
      '--dhcp-range=10.9.65.10,10.9.65.20,255.255.0.0,2m --dhcp-option=3,10.9.0.2 --dhcp-option=6,10.9.0.54,10.9.0.55',
    );
    // udhcpc renews at once, not after half of the time.
    client.process.kill('SIGUSR1');
    const after = await leased(image, 'eth0', /^10\.9\.65\.\d+\/16$/);
    await vi.waitFor(async () => {
      expect(await ip('route show default')).toBe('default via 10.9.0.2 dev eth0 metric 50');
    }, soon);
    expect(await ip('route show')).not.toContain('10.9.64.');
    await vi.waitFor(() => expect(image.run('resolv.conf')).toBe('nameserver 10.9.0.54\nnameserver 10.9.0.55\n'), soon);
    expect(image.console()).toEqual([
      `network eth0 ${before} via 10.9.0.1`,
      expect.stringContaining('network eth0: the DHCP server refuses the address'),
      `network eth0 lost ${before}, asking for another address`,
      `network eth0 ${after} via 10.9.0.2`,
    ]);
  });

  it('may change its router when it is renewed, and says nothing when it stays', async () => {
    const image = createImageSandbox(pair, 'INGOT_VLAN=4095 quiet');
    const range = '--dhcp-range=10.9.64.10,10.9.64.20,255.255.0.0,2m';
    const leases = `${pair.folder}/leases`;
    const first = await dnsmasq(`${range} --dhcp-option=3,10.9.0.1 --dhcp-option=6,10.9.0.53`, leases);
    const client = await image.start('lease.sh', ['eth0']);
    const address = await leased(image, 'eth0', /^10\.9\.64\.\d+\/16$/);
    const written = (): number => statSync(join(pair.folder, 'run/resolv.conf')).ino;
    const before = written();
    const acks = (): number => first.output().split('DHCPACK').length - 1;
    const given = acks();
    client.process.kill('SIGUSR1');
    await vi.waitFor(() => expect(acks()).toBeGreaterThan(given), soon);
    // udhcpc gives its address up when it is told to renew while it does.
    await vi.waitFor(() => expect(written()).not.toBe(before), soon);
    await first.stop();

    await dnsmasq(`${range} --dhcp-option=3,10.9.0.3 --dhcp-option=6,10.9.0.53`, leases);
    client.process.kill('SIGUSR1');
    await vi.waitFor(async () => {
      // Not the boot NIC: its place is behind.
      expect(await ip('route show default')).toMatch(/^default via 10\.9\.0\.3 dev eth0 metric 1\d\d$/);
    }, soon);
    expect(await addresses('eth0')).toEqual([address]);
    expect(image.console()).toEqual([
      'network INGOT_VLAN=4095 is no VLAN, which has a number from 1 to 4094: going on without',
      `network eth0 ${address} via 10.9.0.1`,
      `network eth0 ${address} via 10.9.0.3, before ${address}`,
    ]);
  });

  it('has the routes of option 121 in place of its router; the VLAN of another NIC does not matter', async () => {
    const image = createImageSandbox(pair, 'INGOT_VLAN=100 BOOTIF=01-02-00-00-00-00-01');
    await dnsmasq(
      '--dhcp-range=10.9.64.10,10.9.64.20,255.255.0.0,2m --dhcp-option=3,10.9.0.1 --dhcp-option=6,10.9.0.53 --dhcp-option=121,10.20.0.0/16,10.9.0.7,0.0.0.0/0,10.9.0.8',
    );
    await image.start('lease.sh', ['eth0']);
    await leased(image, 'eth0', /^10\.9\.64\.\d+\/16$/);
    await vi.waitFor(async () => {
      const routes = await ip('route show');
      expect(routes).toMatch(/^default via 10\.9\.0\.8 dev eth0/m);
      expect(routes).toMatch(/^10\.20\.0\.0\/16 via 10\.9\.0\.7 dev eth0/m);
      expect(routes).not.toContain('10.9.0.1 ');
    }, soon);
    expect(image.console()).toHaveLength(1);
    expect(await addresses('eth0', '-6')).toEqual([]);
  });
});

/** Containers may run on a kernel without VLANs. */
const hasVlans = await (async (): Promise<boolean> => {
  const probe = await createNamespacePair();
  try {
    await probe.run('server', 'ip link add link eth0 name v1 type vlan id 1'.split(' '));
    return true;
  } catch {
    return false;
  } finally {
    await probe[Symbol.asyncDispose]();
  }
})();

it('that nobody answers a NIC is said once, and again only after somebody did', async () => {
  const image = createImageSandbox(pair, 'quiet');
  const hook = async (event: string): Promise<void> => {
    const env = { interface: 'eth0', ip: '10.9.64.7', mask: '16' };
    const { process } = await image.start('udhcpc.sh', [event], env);
    await vi.waitFor(() => expect(process.exitCode).toBe(0), soon);
  };
  for (const event of ['leasefail', 'leasefail', 'bound', 'leasefail', 'leasefail']) await hook(event);
  const silence = 'network eth0 got no answer from a DHCP server, and goes on asking';
  expect(image.console()).toEqual([silence, 'network eth0 10.9.64.7/16', silence]);
});

describe('a VLAN on the boot NIC', () => {
  const hasTheLease = async (): Promise<void> => {
    const image = createImageSandbox(pair, `INGOT_VLAN=100 ${await bootNic()} quiet`);
    for (const words of [
      'link add link eth0 name v100 type vlan id 100',
      'link set v100 up',
      'addr add 10.10.0.1/24 dev v100',
    ])
      await pair.run('server', ['ip', ...words.split(' ')]);
    await dnsmasq(
      '--dhcp-range=10.9.64.10,10.9.64.20,255.255.0.0,2m --dhcp-range=10.10.0.10,10.10.0.20,255.255.255.0,2m --dhcp-option=6,10.9.0.53',
    );
    await image.start('lease.sh', ['eth0']);
    const address = await leased(image, 'eth0.100', /^10\.10\.0\.\d+\/24$/);
    expect(await ip('route show default')).toBe('default via 10.10.0.1 dev eth0.100 metric 50');
    expect(await ip('-d link show dev eth0.100')).toContain('vlan protocol 802.1Q id 100');
    expect(await addresses('eth0')).toEqual([]);
    expect(image.console()).toEqual([
      'network eth0 is in VLAN 100, as eth0.100',
      `network eth0.100 ${address} via 10.10.0.1`,
    ]);
  };
  const isSaidToBeMissing = async (): Promise<void> => {
    const image = createImageSandbox(pair, `INGOT_VLAN=100 ${await bootNic()}`);
    await dnsmasq('--dhcp-range=10.9.64.10,10.9.64.20,255.255.0.0,2m --dhcp-option=6,10.9.0.53');
    await image.start('lease.sh', ['eth0']);
    await leased(image, 'eth0', /^10\.9\.64\.\d+\/16$/);
    expect(image.console()[0]).toContain('network eth0: no VLAN 100, going on without: ip:');
  };

  if (hasVlans) it('has the lease, and the NIC itself has none', hasTheLease);
  else it('that the kernel does not make is said, and the NIC is used without', isSaidToBeMissing);
});

describe('IPv6 in the discovery image', () => {
  beforeEach(() => pair.run('server', 'ip addr add 2001:db8:5::1/64 dev eth0 nodad'.split(' ')));

  it('is leased where the router says so, under a DUID that has the MAC of the NIC', async () => {
    const boot = await bootNic();
    const image = createImageSandbox(pair, boot);
    const server = await dnsmasq(
      '--interface=eth0 --enable-ra --log-dhcp --dhcp-range=2001:db8:5::100,2001:db8:5::1ff,64,2m --dhcp-option=option6:dns-server,[2001:db8:5::53]',
    );
    await image.start('lease.sh', ['eth0']);
    await vi.waitFor(async () => {
      expect(await addresses('eth0', '-6')).toEqual([expect.stringMatching(/^2001:db8:5::1[0-9a-f]{2}\/128$/)]);
      expect(await ip('-6 route show default')).toMatch(/^default via fe80::\S+ dev eth0 proto ra metric 50 /);
      expect(image.run('resolv.conf')).toBe('nameserver 2001:db8:5::53\n');
      expect(image.console()).toContainEqual(expect.stringMatching(/^network eth0 2001:db8:5::1[0-9a-f]{2}\/128$/));
    }, soon);
    const mac = boot.replace('BOOTIF=01-', '').replaceAll('-', ':').toLowerCase();
    expect(server.output()).toContain(`00:03:00:01:${mac}`);
  });

  it('is made of the prefix and the MAC where the router says so, with its name servers', async () => {
    const boot = await bootNic();
    const image = createImageSandbox(pair, boot);
    await dnsmasq(
      '--interface=eth0 --enable-ra --dhcp-range=::,constructor:eth0,ra-only,64,2m --dhcp-option=option6:dns-server,[2001:db8:5::53],[fe80::53]',
    );
    await image.start('lease.sh', ['eth0']);
    const mac = boot.replace('BOOTIF=01-', '').split('-');
    const last = mac.slice(4).join('').toLowerCase();
    await vi.waitFor(async () => {
      const [address = '', ...more] = await addresses('eth0', '-6');
      expect(more).toEqual([]);
      expect(address).toMatch(
        new RegExp(`^2001:db8:5:0:[0-9a-f]+:[0-9a-f]{2,4}:fe[0-9a-f]{2}:${last.replace(/^0+/, '')}/64$`),
      );
      expect(image.run('resolv.conf')).toBe('nameserver 2001:db8:5::53\nnameserver fe80::53%eth0\n');
    }, soon);
  });
});
