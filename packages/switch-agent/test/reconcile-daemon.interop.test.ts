import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { apiV2 } from '@ingot/api';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { parseConfigDb } from '../src/config-db/parse-config-db.ts';
import { printConfigDb } from '../src/config-db/print-config-db.ts';
import { configDbOfRedis, toRedisFields } from '../src/config-db/redis-rows.ts';
import { planCommand } from '../src/plan-command.ts';
import { parseSwitchStatus, type SwitchStatus } from '../src/status/status.ts';
import { startApi, type TestApi } from './api-kit.ts';
import { configFor, startDaemon } from './daemon-kit.ts';
import { APPL_DB, CONFIG_DB, connectTo } from './redis-server.ts';
import { UPLINKS } from './sonic/leaf.ts';
import { seeded, startLeaf, type TestLeaf } from './sonic/transitions.ts';
import { createSysfs } from './sysfs.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const WAIT = { timeout: 20_000, interval: 50 };
const LONG_AGO = new Date('2026-01-01T00:00:00Z');

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

/** As `config save` does it: everything, as it is now. */
async function configSave(leaf: TestLeaf, file: string): Promise<void> {
  const tables = new Map<string, Map<string, Readonly<Record<string, string>>>>();
  for (const [name, fields] of await leaf.rows()) {
    const end = name.indexOf('|');
    const table = tables.get(name.slice(0, end)) ?? new Map<string, Readonly<Record<string, string>>>();
    tables.set(name.slice(0, end), table.set(name.slice(end + 1), fields));
  }
  await writeFile(file, printConfigDb(configDbOfRedis(tables)));
  await utimes(file, LONG_AGO, LONG_AGO);
}

/** As SONiC loads it at boot. */
async function bootRows(file: string): Promise<ReadonlyArray<readonly string[]>> {
  const document = parseConfigDb(file, await readFile(file, 'utf8'));
  if (!document.ok) throw new Error(document.problems.join('\n'));
  const rows = Object.entries(document.value).flatMap(([table, each]) =>
    Object.entries(each).map(([key, row]) => ['HSET', `${table}|${key}`, ...Object.entries(toRedisFields(row)).flat()]),
  );
  return [...rows, ['SET', 'CONFIG_DB_INITIALIZED', '1']];
}

async function statusAt(socket: string): Promise<SwitchStatus> {
  return parseSwitchStatus(JSON.parse(await text(createConnection({ path: socket }))));
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

test('a leaf that boots from the saved configuration has its tenants before the API or the agent can be asked', async () => {
  await using leaf = await startLeaf({ random: seeded(13), machines: 3 });
  await leaf.redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  await using api = await startApi();
  await using sysfs = await createSysfs();
  const savedConfigFile = join(leaf.redis.folder, 'config_db.json');
  await configSave(leaf, savedConfigFile);
  const settings = { ...settingsFor(leaf), savedConfigFile, frr: { enabled: false } };
  {
    await using running = new AsyncDisposableStack();
    running.use(await startDaemon(leaf.redis, api, sysfs, settings));
    await vi.waitUntil(() => api.switches.has('leaf01'), WAIT);
    want(api, 'Ethernet0', { vrf: 'vrf100' });
    want(api, 'Ethernet1', { vrf: 'default' });
    await vi.waitUntil(async () => (await leaf.rows()).has('INTERFACE|Ethernet1'), WAIT);
    await vi.waitUntil(async () => (await leaf.rows()).has('INTERFACE|Ethernet0'), WAIT);
  }
  const before = await leaf.rows();
  // What the operator tries out and does not save is no business of the agent's.
  await leaf.redis.run(CONFIG_DB, [['HSET', 'VLAN|Vlan77', 'vlanid', '77']]);
  {
    await using daemon = await startDaemon(leaf.redis, api, sysfs, { ...settings, saveConfig: true });
    await vi.waitUntil(
      () => daemon.log.records.some(({ msg }) => msg === 'saved what the API wants of this switch'),
      WAIT,
    );
  }
  await api.stop();
  // Power is lost: SONiC comes up from the file, and neither the API nor what the agent remembers is there.
  await leaf.redis.signal('SIGKILL');
  await leaf.redis.start();
  const config = await bootRows(savedConfigFile);
  await using again = await startLeaf({ random: seeded(14), machines: 3, redis: leaf.redis, config });
  expect(await again.rows()).toEqual(before);
  const events = await connectTo(leaf.redis.socketPath, CONFIG_DB);
  const touched: string[] = [];
  await events.pSubscribe(`__keyspace@${CONFIG_DB}__:*`, (_event, channel) => touched.push(channel));
  await leaf.redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  await using running = new AsyncDisposableStack();
  running.use(await startDaemon(leaf.redis, api, sysfs, { ...settings, saveConfig: true }));
  const socket = join(leaf.redis.folder, 'status.sock');
  await vi.waitUntil(async () => (await statusAt(socket)).cycle?.result === 'converged', WAIT);
  expect(touched).toEqual([]);
  events.destroy();
  await again.check();
});

test('with reconfigure off nothing is written, and ingot-switch plan says what would be', async () => {
  await using leaf = await startLeaf({ random: seeded(12), machines: 3 });
  await leaf.redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  await using api = await startApi();
  await using sysfs = await createSysfs();
  const before = await leaf.rows();
  const frrFolder = join(leaf.redis.folder, 'frr');
  const settings = {
    ...settingsFor(leaf),
    reconfigure: false,
    saveConfig: true,
    savedConfigFile: join(leaf.redis.folder, 'config_db.json'),
    frr: {
      vtysh: ['false'],
      reload: ['touch', join(leaf.redis.folder, 'reloaded')],
      confFile: join(frrFolder, 'frr.conf'),
      confFolderOfVtysh: frrFolder,
    },
  };
  await using daemon = await startDaemon(leaf.redis, api, sysfs, settings);
  await vi.waitUntil(
    () => daemon.log.records.some(({ msg }) => msg.startsWith('rows that differ; reconfigure is off')),
    WAIT,
  );
  want(api, 'Ethernet1', { vrf: 'vrf100' });
  await vi.waitUntil(
    () => daemon.log.records.some((line) => JSON.stringify(line).includes('"wanted":{"Ethernet1":"vrf100"}')),
    WAIT,
  );
  expect(await leaf.rows()).toEqual(before);
  // Nor is anything else: FRR, the saved configuration and the last desired state.
  const files = await readdir(leaf.redis.folder);
  expect(files).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(?:frr|reloaded|config_db\.json.*|desired.*)$/)]),
  );

  const file = join(leaf.redis.folder, 'switch-agent.yaml');
  await writeFile(file, JSON.stringify(await configFor(leaf.redis, api, sysfs, settings)));
  const run = async (...args: readonly string[]): Promise<readonly [status: number, out: string, err: string]> => {
    const printed = { out: '', err: '' };
    const status = await planCommand(['--config', file, ...args], {
      out: (line) => {
        printed.out += line;
      },
      err: (line) => {
        printed.err += line;
      },
      env: {},
      signal: AbortSignal.timeout(20_000),
    });
    return [status, printed.out, printed.err];
  };
  const [status, said] = await run();
  expect(status).toBe(1);
  expect(said).toContain(
    [
      'bind Ethernet1 (waits for: port-free, vrf-ready)',
      '  ~ PORT|Ethernet1',
      '    - mtu: 9100',
      '    + mtu: 9000',
      '  + INTERFACE|Ethernet1 ipv6_use_link_local_only=enable vrf_name=Vrf100',
    ].join('\n'),
  );
  expect(said).toContain('  + VXLAN_TUNNEL_MAP|vtep|map_100_Vlan1001 vlan=Vlan1001 vni=100\n');
  // `run --plan` is the same, by the program itself.
  const program = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--plan', '--config', file],
    {
      reject: false,
      timeout: 20_000,
    },
  );
  expect([program.exitCode, `${program.stdout}\n`]).toEqual([1, said]);
  const [, json] = await run('--json');
  expect(JSON.parse(json)).toMatchObject({
    model: { vrfs: [{ name: 'Vrf100', vlan: 1001, ports: ['Ethernet1'] }] },
    problems: [],
  });
  expect(await run('--offline')).toEqual([2, '', expect.stringContaining('nobody knows what is wanted')]);
  expect(await leaf.rows()).toEqual(before);
});
