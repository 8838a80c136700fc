import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiV2 } from '@ingot/api';
import { expect, test, vi } from 'vitest';
import { planCommand } from '../src/plan-command.ts';
import { startApi, type TestApi } from './api-kit.ts';
import { configFor, startDaemon } from './daemon-kit.ts';
import { APPL_DB, CONFIG_DB } from './redis-server.ts';
import { UPLINKS } from './sonic/leaf.ts';
import { seeded, startLeaf, type TestLeaf } from './sonic/transitions.ts';
import { createSysfs } from './sysfs.ts';

const WAIT = { timeout: 20_000, interval: 50 };

function settingsFor(leaf: TestLeaf): Readonly<Record<string, unknown>> {
  return {
    reconfigure: true,
    reconfigureSeconds: 1,
    asn: 4_200_000_011,
    loopback: '10.0.0.11',
    uplinks: [...UPLINKS],
    additionalBridgePorts: ['Ethernet60', 'Ethernet64'],
    stateFile: join(leaf.redis.folder, 'desired.json'),
  };
}

/** What the API wants of a nic from now on. */
function want(
  api: TestApi,
  name: string,
  wish: { readonly vrf?: string; readonly state?: apiV2.SwitchPortStatus },
): void {
  const nic = api.switches.get('leaf01')?.nics.find((each) => each.name === name);
  if (nic === undefined) throw new Error(`the API does not know ${name}`);
  if (wish.vrf !== undefined) nic.vrf = wish.vrf;
  if (nic.state !== undefined && wish.state !== undefined) nic.state.desired = wish.state;
}

test('the daemon does what the API wants, keeps a port down that the API forgot, and goes on without the API', async () => {
  await using leaf = await startLeaf({ random: seeded(11), machines: 3 });
  await leaf.redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  await using api = await startApi();
  await using sysfs = await createSysfs();
  const rowOf = async (key: string): Promise<unknown> => (await leaf.rows()).get(key);
  const settings = settingsFor(leaf);
  {
    await using daemon = await startDaemon(leaf.redis, api, sysfs, settings);
    await vi.waitUntil(async () => (await rowOf('VLAN_MEMBER|Vlan4000|Ethernet0')) !== undefined, WAIT);
    want(api, 'Ethernet0', { vrf: 'vrf100', state: apiV2.SwitchPortStatus.DOWN });
    await vi.waitUntil(async () => (await rowOf('INTERFACE|Ethernet0')) !== undefined, WAIT);
    expect(await rowOf('INTERFACE|Ethernet0')).toMatchObject({ vrf_name: 'Vrf100' });
    expect(await rowOf('PORT|Ethernet0')).toMatchObject({ admin_status: 'down', mtu: '9000' });
    // The API clears a wish that is fulfilled; that is no wish for the opposite.
    want(api, 'Ethernet0', { state: apiV2.SwitchPortStatus.UNSPECIFIED });
    want(api, 'Ethernet1', { vrf: 'green' });
    await vi.waitUntil(
      () => api.heartbeats.at(-1)?.error?.includes('Ethernet1: the API wants it in the VRF "green"'),
      WAIT,
    );
    expect(await rowOf('PORT|Ethernet0')).toMatchObject({ admin_status: 'down' });
    expect(daemon.log.records).toContainEqual(expect.objectContaining({ msg: 'the switch was reconfigured' }));
  }
  await api.stop();
  // A boot with an old config_db.json and no API.
  await leaf.redis.run(CONFIG_DB, [
    ['HSET', 'PORT|Ethernet0', 'admin_status', 'up'],
    ['DEL', 'INTERFACE|Ethernet0'],
  ]);
  {
    await using running = new AsyncDisposableStack();
    running.use(await startDaemon(leaf.redis, api, sysfs, settings));
    await vi.waitUntil(async () => (await rowOf('INTERFACE|Ethernet0')) !== undefined, WAIT);
    expect(await rowOf('PORT|Ethernet0')).toMatchObject({ admin_status: 'down' });
    // The API comes back without its database: that it wants nothing of a switch it has never seen is no wish.
    api.switches.clear();
    await api.start();
    await vi.waitUntil(() => api.heartbeats.at(-1)?.error?.includes('the API had lost this switch'), WAIT);
    expect(await rowOf('INTERFACE|Ethernet0')).toMatchObject({ vrf_name: 'Vrf100' });
    want(api, 'Ethernet0', { vrf: 'vrf101' });
    await vi.waitUntil(async () => (await leaf.rows()).get('INTERFACE|Ethernet0')?.['vrf_name'] === 'Vrf101', WAIT);
    await vi.waitUntil(() => api.heartbeats.at(-1)?.error?.includes('the API had lost') !== true, WAIT);
    // From then on, nothing is a wish like any other.
    const nic = api.switches.get('leaf01')?.nics.find(({ name }) => name === 'Ethernet0');
    if (nic !== undefined) delete nic.vrf;
    await vi.waitUntil(async () => (await rowOf('VLAN_MEMBER|Vlan4000|Ethernet0')) !== undefined, WAIT);
  }
  await leaf.check();
});

test('with reconfigure off nothing is written, and ingot-switch plan says what would be', async () => {
  await using leaf = await startLeaf({ random: seeded(12), machines: 3 });
  await leaf.redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  await using api = await startApi();
  await using sysfs = await createSysfs();
  const before = await leaf.rows();
  const settings = { ...settingsFor(leaf), reconfigure: false };
  await using daemon = await startDaemon(leaf.redis, api, sysfs, settings);
  await vi.waitUntil(
    () => daemon.log.records.some(({ msg }) => msg.startsWith('rows that differ; reconfigure is off')),
    WAIT,
  );
  want(api, 'Ethernet1', { vrf: 'vrf100' });
  await vi.waitUntil(() => daemon.log.records.some(({ msg }) => msg === 'the desired state has changed'), WAIT);
  expect(await leaf.rows()).toEqual(before);

  const file = join(leaf.redis.folder, 'switch-agent.yaml');
  await writeFile(file, JSON.stringify(await configFor(leaf.redis, api, sysfs, settings)));
  const run = async (...args: readonly string[]): Promise<readonly [status: number, out: string, err: string]> => {
    const said = { out: '', err: '' };
    const status = await planCommand(['--config', file, ...args], {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      env: {},
      signal: AbortSignal.timeout(20_000),
    });
    return [status, said.out, said.err];
  };
  const [status, text] = await run();
  expect(status).toBe(1);
  expect(text).toContain(
    [
      'bind Ethernet1 (waits for: port-free, vrf-ready)',
      '  ~ PORT|Ethernet1',
      '    - mtu: 9100',
      '    + mtu: 9000',
      '  + INTERFACE|Ethernet1 ipv6_use_link_local_only=enable vrf_name=Vrf100',
    ].join('\n'),
  );
  expect(text).toContain('  + VXLAN_TUNNEL_MAP|vtep|map_100_Vlan1001 vlan=Vlan1001 vni=100\n');
  const [, json] = await run('--json');
  expect(JSON.parse(json)).toMatchObject({
    model: { vrfs: [{ name: 'Vrf100', vlan: 1001, ports: ['Ethernet1'] }] },
    problems: [],
  });
  // Nothing was applied, so nothing is remembered.
  await expect(readFile(join(leaf.redis.folder, 'desired.json'), 'utf8')).rejects.toThrow(/ENOENT/);
  expect(await run('--offline')).toEqual([2, '', expect.stringContaining('nobody knows what is wanted')]);
  expect(await leaf.rows()).toEqual(before);
});
