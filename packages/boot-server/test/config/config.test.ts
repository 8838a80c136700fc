import { describe, expect, it } from 'vitest';
import { loadConfig } from '@ingot/daemon';
import { bootServerConfig, type BootServerConfig } from '../../src/config.ts';
import { planDhcp } from '../../src/dhcp/plan.ts';
import { subnetConfig, testConfig } from '../support/config.ts';

const MINIMAL = `
partition: lab
dataDir: /var/lib/ingot
advertiseAddress: 10.0.0.1
dhcp:
  listen: [10.0.0.1]
  subnets:
    - { subnet: 10.0.1.0/24, pool: 10.0.1.100-10.0.1.199, routers: [10.0.1.1] }
http: { listen: "10.0.0.1:8080" }
api: { url: "https://10.0.0.1:9443", caFile: /etc/ca.pem, tokenFile: /etc/token }
`;

async function load(yaml: string): Promise<BootServerConfig | string> {
  const loaded = await loadConfig(bootServerConfig, {
    argv: ['--config', 'boot.yaml'],
    env: {},
    readText: () => Promise.resolve(yaml),
  });
  if (loaded.kind === 'config') return loaded.config;
  return loaded.kind === 'error' ? loaded.error.message : loaded.kind;
}

describe('the configuration', () => {
  it('needs little', async () => {
    const config = await load(MINIMAL);
    expect(config).toMatchObject({
      dhcp: { mode: 'server', subnets: [{ leaseSeconds: 3_600, dnsServers: [] }] },
      ipxe: { directory: '/usr/lib/ipxe', files: { bios: 'undionly.kpxe', efiX64: 'snponly.efi' } },
      boot: { seenWithinMinutes: 30, nonceMinutes: 30 },
    });
  });

  it('one binary can be changed without naming the others', async () => {
    expect(await load(`${MINIMAL}ipxe: { files: { efiArm64: arm.efi } }\n`)).toMatchObject({
      ipxe: { files: { bios: 'undionly.kpxe', efiArm64: 'arm.efi' } },
    });
  });

  it('a boot loader can be added without naming Debian’s, and one of those can be another', async () => {
    const own = '{ own.efi: /srv/own.efi, grubx64.efi: /srv/grub.efi }';
    expect(await load(`${MINIMAL}ipxe: { loaders: ${own} }\n`)).toMatchObject({
      ipxe: {
        loaders: {
          'own.efi': '/srv/own.efi',
          'grubx64.efi': '/srv/grub.efi',
          'shimx64.efi': '/usr/lib/shim/shimx64.efi.signed',
        },
      },
    });
  });

  it.each([
    [
      'a subnet with host bits',
      MINIMAL.replace('10.0.1.0/24', '10.0.1.1/24'),
      /subnet.*write a network with its host bits 0/s,
    ],
    [
      'a pool the wrong way round',
      MINIMAL.replace('10.0.1.100-10.0.1.199', '10.0.1.199-10.0.1.100'),
      /pool.*write the first and the last address/s,
    ],
    [
      'all addresses to listen on',
      MINIMAL.replace('listen: [10.0.0.1]', 'listen: [0.0.0.0]'),
      /name the addresses to listen on/,
    ],
    ['a path as binary', `${MINIMAL}ipxe: { files: { bios: ../x } }\n`, /write the name of a file in ipxe.directory/],
    ['no TLS to the API', MINIMAL.replace('https://10', 'http://10'), /write https:\/\/host:port/],
    [
      'an IPv6 reservation of nobody',
      `${MINIMAL}dhcp6: { listen: ['2001:db8::1'], subnets: [{ subnet: '2001:db8:1::/64', reservations: [{ address: '2001:db8:1::5' }] }] }\n`,
      /name the client by duid or by mac/,
    ],
    [
      'an IPv6 lease that is preferred for longer than it is valid',
      `${MINIMAL}dhcp6: { listen: ['2001:db8::1'], subnets: [{ subnet: '2001:db8:1::/64', validSeconds: 600 }] }\n`,
      /preferredSeconds may not be more than validSeconds/,
    ],
    [
      'a manufacturer that boot loaders would read as commands',
      `${MINIMAL}boot: { console: { byManufacturer: { 'HPE && reboot': ttyS0 } } }\n`,
      /write the manufacturer as SMBIOS/,
    ],
    [
      'a console with more in it',
      `${MINIMAL}boot: { console: { port: 'ttyS0 init=/bin/sh' } }\n`,
      /write the name of a serial port/,
    ],
    ['a hash that is none', `${MINIMAL}ipxe: { sha256: { snponly.efi: abc } }\n`, /write 64 hex digits/],
    ['an unknown key', `${MINIMAL}tftpp: {}\n`, /tftpp/],
  ])('%s is refused with what to write instead', async (_what, yaml, words) => {
    expect(await load(yaml)).toMatch(words);
  });
});

describe('the DHCP plan', () => {
  const plan = (change: Partial<BootServerConfig['dhcp']>): ReturnType<typeof planDhcp> =>
    planDhcp({ advertiseAddress: '10.0.0.1', dhcp: { ...testConfig('/none').dhcp, ...change } });

  it('serves clients on the own link only where the own address is in a network', () => {
    expect(plan({}).listen).toEqual({
      addresses: ['10.0.0.1'],
      interfaces: [],
      localAddress: '10.0.0.1',
      shared: false,
    });
    expect(plan({ subnets: [subnetConfig('10.0.1')] }).listen.localAddress).toBeUndefined();
    expect(plan({ mode: 'proxy', subnets: [subnetConfig('10.0.1', { pool: undefined })] }).listen.shared).toBe(true);
  });

  it('takes networks within each other whose addresses are apart', () => {
    const wide = { ...subnetConfig('10.0.1', { pool: '10.0.9.100-10.0.9.199' }), subnet: '10.0.0.0/16' };
    const narrow = { ...subnetConfig('10.0.1', { pool: '10.0.0.10-10.0.0.19', routers: [] }), subnet: '10.0.0.0/24' };
    expect(plan({ listen: ['10.9.0.1'], subnets: [narrow, wide] }).subnets).toHaveLength(2);
  });

  it.each<[string, Partial<BootServerConfig['dhcp']>, RegExp]>([
    [
      'a pool outside of its network',
      { subnets: [subnetConfig('10.0.1', { pool: '10.0.2.1-10.0.2.9' })] },
      /10\.0\.2\.1 is not in 10\.0\.1\.0\/24/,
    ],
    [
      'a pool with the router in it',
      { subnets: [subnetConfig('10.0.1', { routers: ['10.0.1.150'] })] },
      /contains 10\.0\.1\.150, a router/,
    ],
    [
      'a pool with this server in it',
      { subnets: [subnetConfig('10.0.0', { pool: '10.0.0.1-10.0.0.9' })] },
      /10\.0\.0\.1, an address of this server/,
    ],
    [
      'a pool with the broadcast address in it',
      { subnets: [subnetConfig('10.0.1', { pool: '10.0.1.100-10.0.1.255', routers: [] })] },
      /the broadcast address/,
    ],
    ['nothing to lease', { subnets: [subnetConfig('10.0.1', { pool: undefined })] }, /add pool/],
    ['a pool in proxy mode', { mode: 'proxy', subnets: [subnetConfig('10.0.1')] }, /another server leases/],
    [
      'a pool that reaches into another network',
      {
        subnets: [
          subnetConfig('10.0.1', { pool: '10.0.1.100-10.0.1.199' }),
          { ...subnetConfig('10.0.1', { pool: '10.0.1.200-10.0.1.210' }), subnet: '10.0.1.128/25' },
        ],
      },
      /dhcp\.subnets\[0\]\.pool: part of it is in 10\.0\.1\.128\/25/,
    ],
    [
      'a reservation in another network',
      {
        subnets: [
          subnetConfig('10.0.1', {
            pool: '10.0.1.10-10.0.1.99',
            reservations: [{ mac: '52:54:00:00:00:01', address: '10.0.1.200' }],
          }),
          { ...subnetConfig('10.0.1', { pool: '10.0.1.210-10.0.1.220' }), subnet: '10.0.1.128/25' },
        ],
      },
      /10\.0\.1\.200 is in 10\.0\.1\.128\/25: write it there/,
    ],
    ['one network twice', { subnets: [subnetConfig('10.0.1'), subnetConfig('10.0.1')] }, /stands there twice/],
    [
      'two own links, of which a broadcast does not tell',
      { listen: ['10.0.0.1', '10.0.1.1'], subnets: [subnetConfig('10.0.0'), subnetConfig('10.0.1')] },
      /does not tell on which/,
    ],
    [
      'one address reserved twice',
      {
        subnets: [
          subnetConfig('10.0.1', {
            reservations: [
              { mac: '52:54:00:00:00:01', address: '10.0.1.5' },
              { mac: '52:54:00:00:00:02', address: '10.0.1.5' },
            ],
          }),
        ],
      },
      /10\.0\.1\.5 stands there twice/,
    ],
  ])('%s is refused in words', (_what, change, words) => {
    expect(() => plan(change)).toThrow(words);
  });
});
