import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toRedisFields } from '../../src/config-db/redis-rows.ts';
import { generateCommand } from '../../src/generate/generate-command.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { testSwitch, writeSwitch } from '../platforms/platforms.ts';
import { CONFIG_DB, startRedis } from '../redis-server.ts';

const YAML = 'bgp_ports: [Ethernet48]\nvlans: [{id: 4000, dhcp_servers: [10.0.0.1, 10.0.0.2]}]\n';

test('a running CONFIG_DB is compared row by row, and one that is gone is said to be', async () => {
  const onSwitch = testSwitch('s5248f');
  const root = await mkdtemp(join(tmpdir(), 'ingot-generate-'));
  await using redis = await startRedis();
  try {
    await writeSwitch(root, onSwitch);
    await writeFile(join(root, 'c.yaml'), YAML);
    const { databases } = redis;
    await writeFile(
      join(root, 'database_config.json'),
      JSON.stringify({
        INSTANCES: { redis: { unix_socket_path: redis.socketPath } },
        DATABASES: Object.fromEntries(
          Object.entries(databases).map(([name, { id, separator }]) => [name, { id, separator, instance: 'redis' }]),
        ),
      }),
    );
    const diff = async (...extra: readonly string[]) => {
      const printed = { out: '', err: '' };
      const places = {
        '-i': 'c.yaml',
        '-e': 'etc/sonic/sonic-environment',
        '-v': 'etc/sonic/sonic_version.yml',
        '--device-dir': 'usr/share/sonic/device',
        '--mac-file': 'sys/class/net/eth0/address',
        '--init-file': 'init_cfg.json',
        '--database-config': 'database_config.json',
      };
      const args = Object.entries(places).flatMap(([option, path]) => [option, join(root, path)]);
      const status = await generateCommand([...args, '--diff', 'running', ...extra], {
        out: (text) => void (printed.out += text),
        err: (text) => void (printed.err += text),
        env: {},
        signal: new AbortController().signal,
      });
      return { status, ...printed };
    };

    const generated = generateConfigDb('c.yaml', YAML, onSwitch.target);
    const rows = Object.entries(generated.ok ? generated.configDb : {}).flatMap(([table, keys]) =>
      Object.entries(keys).map(([key, row]) => [
        'HSET',
        `${table}|${key}`,
        ...Object.entries(toRedisFields(row)).flat(),
      ]),
    );
    await redis.run(CONFIG_DB, [...rows, ['SET', 'CONFIG_DB_INITIALIZED', '1'], ['SET', 'ODD|key', 'no hash']]);
    expect(await diff()).toEqual({ status: 0, out: 'no difference\n', err: '' });

    await redis.run(CONFIG_DB, [
      ['HSET', 'VLAN|Vlan4000', 'dhcp_servers@', '10.0.0.1'],
      ['DEL', 'INTERFACE|Ethernet48'],
      ['HSET', 'VLAN|Vlan1001', 'vlanid', '1001'],
      ['HSET', 'VERSIONS|DATABASE', 'VERSION', 'version_4_4_1'],
    ]);
    expect(await diff()).toEqual({
      status: 1,
      out: `+ INTERFACE|Ethernet48
  + ipv6_use_link_local_only: enable
- VLAN|Vlan1001
~ VLAN|Vlan4000
  - dhcp_servers: [10.0.0.1]
  + dhcp_servers: [10.0.0.1, 10.0.0.2]
INTERFACE  1 added: taken while running
VLAN       1 removed, 1 changed: needs systemctl restart dhcp_relay
No reload is needed, but: systemctl restart dhcp_relay
`,
      err: '',
    });

    await redis.run(CONFIG_DB, [['HSET', 'VRF|Vrf104001', 'fallback', 'false', 'vni', '104001']]);
    expect((await diff()).err).toBe('note: among what goes is what tenants have (Vrf104001); --beside-run leaves it\n');
    expect((await diff('--beside-run')).out).not.toContain('Vrf104001');

    await redis.signal('SIGKILL');
    expect(await diff()).toMatchObject({ status: 2, out: '', err: expect.stringContaining('CONFIG_DB at') });
  } finally {
    await rm(root, { recursive: true });
  }
});
