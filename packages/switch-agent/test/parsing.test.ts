import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDatabaseConfig } from '../src/database-config.ts';
import { isSwitchHostname, managementAddress, switchHostname } from '../src/identity.ts';
import { readLinkState } from '../src/link-state.ts';
import { namePorts } from '../src/naming.ts';
import { parseSonicVersion } from '../src/sonic-version.ts';
import { agentVersion } from '../src/version.ts';
import { createSysfs } from './sysfs.ts';

const DATABASE_CONFIG = {
  INSTANCES: {
    redis: {
      hostname: '127.0.0.1',
      port: 6379,
      unix_socket_path: '/run/redis/redis.sock',
      persistence_for_warm_boot: 'yes',
    },
    secured: { unix_socket_path: '/run/redis/secured.sock', password_path: '/etc/shadow_redis_dir/shadow_redis_admin' },
  },
  DATABASES: {
    APPL_DB: { id: 0, separator: ':', instance: 'redis' },
    ASIC_DB: { id: 1, separator: ':', instance: 'redis' },
    COUNTERS_DB: { id: 2, separator: ':', instance: 'redis' },
    CONFIG_DB: { id: 4, separator: '|', instance: 'secured' },
    STATE_DB: { id: 6, separator: '|', instance: 'redis' },
  },
  VERSION: '1.0',
};

test('database_config.json gives number, separator, socket and password file of each database', () => {
  expect(parseDatabaseConfig(JSON.stringify(DATABASE_CONFIG), 'f')).toEqual({
    APPL_DB: { name: 'APPL_DB', id: 0, separator: ':', unixSocketPath: '/run/redis/redis.sock' },
    ASIC_DB: { name: 'ASIC_DB', id: 1, separator: ':', unixSocketPath: '/run/redis/redis.sock' },
    COUNTERS_DB: { name: 'COUNTERS_DB', id: 2, separator: ':', unixSocketPath: '/run/redis/redis.sock' },
    STATE_DB: { name: 'STATE_DB', id: 6, separator: '|', unixSocketPath: '/run/redis/redis.sock' },
    CONFIG_DB: {
      name: 'CONFIG_DB',
      id: 4,
      separator: '|',
      unixSocketPath: '/run/redis/secured.sock',
      passwordPath: '/etc/shadow_redis_dir/shadow_redis_admin',
    },
  });
});

test.each([
  ['{', /^f is not JSON/],
  ['{"INSTANCES":{},"DATABASES":{}}', /^f has no DATABASES\.CONFIG_DB|APPL_DB/],
  [
    JSON.stringify({ ...DATABASE_CONFIG, INSTANCES: {} }),
    /DATABASES\.APPL_DB names the instance "redis", which INSTANCES lacks/,
  ],
  [
    JSON.stringify({ ...DATABASE_CONFIG, DATABASES: { CONFIG_DB: { id: '4', separator: '|', instance: 'redis' } } }),
    /DATABASES\.CONFIG_DB\.id/,
  ],
])("a database_config.json that is not SONiC's is refused by name: %s", (text, message) => {
  expect(() => parseDatabaseConfig(text, 'f')).toThrow(message);
});

test.each([
  ["---\nbuild_version: '202411.1-abc'\ndebian_version: '12.4'\n", '202411.1-abc'],
  ['build_version: 202411.lab\nasic_type: vs\n', '202411.lab'],
  ['build_version: "master.1#2"  # nightly\r\n', 'master.1#2'],
  ["debian_version: '12'\n", undefined],
  ['build_version: ""\n', undefined],
  ['  build_version: nested\n', undefined],
  ["build_version: 'x'\n", undefined],
])('sonic_version.yml %j has the build version %j', (text, version) => {
  expect(parseSonicVersion(text)).toBe(version);
});

test.each([
  ['default', 'Ethernet0', 'Eth1/1'],
  ['swap', 'Eth1/1', 'Ethernet0'],
  ['name', 'Ethernet0', 'Ethernet0'],
  ['alias', 'Eth1/1', 'Eth1/1'],
] as const)(
  'the naming schema %s names a port %s with identifier %s, and finds the port again',
  (schema, nicName, identifier) => {
    const names = namePorts(schema, [{ name: 'Ethernet0', alias: 'Eth1/1' }]);
    expect(names.ports).toEqual([{ port: 'Ethernet0', nicName, identifier }]);
    expect(names.portOf(nicName)).toBe('Ethernet0');
    expect(names.portOf('Ethernet99')).toBeUndefined();
  },
);

test('a port without alias is identified by its name, as lldpmgrd announces it', () => {
  expect(namePorts('default', [{ name: 'Ethernet0' }]).ports).toEqual([
    { port: 'Ethernet0', nicName: 'Ethernet0', identifier: 'Ethernet0' },
  ]);
});

test('ports that would make the API refuse the whole switch are left out, with the reason', () => {
  const names = namePorts('default', [
    { name: 'Ethernet0', alias: '1' },
    { name: 'Ethernet4', alias: 'Eth1/2' },
    { name: 'Ethernet8', alias: 'Eth1/2' },
  ]);
  expect(names.ports.map(({ port }) => port)).toEqual(['Ethernet4']);
  expect(names.refused.map(({ port, reason }) => `${port}: ${reason}`)).toEqual([
    expect.stringContaining('Ethernet0: the identifier "1" has 1 characters'),
    expect.stringContaining('Ethernet8: the identifier "Eth1/2" is that of Ethernet4 too'),
  ]);
});

test.each([
  ['leaf01', true],
  ['leaf01.rack-1.example', true],
  ['leaf_01', false],
  ['l', false],
  ['-leaf', false],
  ['10', false],
  ['leaf..lab', false],
  ['l'.repeat(64), false],
])('%s can name a switch: %s', (name, can) => {
  expect(isSwitchHostname(name)).toBe(can);
});

test('a host name with an underscore is refused with what to do', () => {
  expect(() => switchHostname('leaf_01')).toThrow(/"leaf_01" cannot name a switch.*set .*hostname/);
});

test('a management interface without address is refused with what to do', () => {
  expect(() => managementAddress(undefined, 'no-such-if')).toThrow(/no-such-if has no global IP address.*managementIp/);
  expect(managementAddress('10.0.0.11', 'no-such-if')).toBe('10.0.0.11');
});

test.each([
  [{ operstate: 'up', carrier: '1' }, 'up'],
  [{ operstate: 'down', carrier: '0' }, 'down'],
  [{ operstate: 'down' }, 'down'],
  [{ operstate: 'lowerlayerdown', carrier: '1' }, 'down'],
  [{ operstate: 'unknown', carrier: '1' }, 'up'],
  [{ operstate: 'unknown', carrier: '0' }, 'down'],
  [{ operstate: 'unknown' }, 'down'],
  [{}, 'unknown'],
] as const)('a netdev with %j is %s', async (attributes, state) => {
  await using sysfs = await createSysfs();
  await sysfs.netdev('Ethernet0', attributes);
  expect(await readLinkState(sysfs.path, 'Ethernet0')).toBe(state);
});

test('a port without netdev is unknown', async () => {
  await using sysfs = await createSysfs();
  expect(await readLinkState(sysfs.path, 'Ethernet0')).toBe('unknown');
});

test('the version told to the API is that of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: agentVersion.replace('ingot ', '') });
});
