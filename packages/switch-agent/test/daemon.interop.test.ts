import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiV2 } from '@ingot/api';
import { createHealth, createMetrics, MemoryLogger, Redactor, type RunningDaemon } from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { expect, test, vi } from 'vitest';
import { switchAgentConfig } from '../src/config.ts';
import { runSwitchAgent } from '../src/run.ts';
import { startApi, type TestApi } from './api-kit.ts';
import { APPL_DB, CONFIG_DB, startRedis, type TestRedis } from './redis-server.ts';
import { createSysfs, type TestSysfs } from './sysfs.ts';

const { DOWN, UNKNOWN, UP } = apiV2.SwitchPortStatus;
const PORTS = [
  ['HSET', 'PORT|Ethernet0', 'alias', 'Eth1/1', 'lanes', '1'],
  ['HSET', 'PORT|Ethernet4', 'alias', 'Eth1/2', 'lanes', '5'],
];
const INITIALISED = [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']];
const WAIT = { timeout: 15_000, interval: 50 };

interface Daemon extends AsyncDisposable {
  readonly log: MemoryLogger;
}

/** The agent as `ingot switch-agent` runs it, on a leaf made of a real Redis, a sysfs folder and two files. */
async function startDaemon(redis: TestRedis, api: TestApi, sysfs: TestSysfs): Promise<Daemon> {
  const databaseConfig = join(redis.folder, 'database_config.json');
  const sonicVersionFile = join(redis.folder, 'sonic_version.yml');
  await writeFile(
    databaseConfig,
    JSON.stringify({
      INSTANCES: { redis: { hostname: '127.0.0.1', port: 6379, unix_socket_path: redis.socketPath } },
      DATABASES: Object.fromEntries(
        Object.entries(redis.databases).map(([name, { id, separator }]) => [
          name,
          { id, separator, instance: 'redis' },
        ]),
      ),
    }),
  );
  await writeFile(sonicVersionFile, "---\nbuild_version: '202411.1-test'\n");
  const parsed = switchAgentConfig.parse({
    partition: 'lab',
    rack: 'rack-1',
    hostname: 'leaf01',
    managementIp: '10.0.0.11',
    redis: { databaseConfig, timeoutSeconds: 1 },
    sonicVersionFile,
    sysClassNet: sysfs.path,
    heartbeatSeconds: 1,
    api: { url: api.url, caFile: api.caFile, tokenFile: api.tokenFile, timeoutSeconds: 2 },
  });
  if (!parsed.success) throw parsed.error;
  const stopping = new AbortController();
  const log = new MemoryLogger();
  const daemon: RunningDaemon = await runSwitchAgent({
    config: parsed.data,
    log,
    clock: systemClock,
    entropy: systemEntropy,
    metrics: createMetrics(),
    health: createHealth({ clock: systemClock }),
    redactor: new Redactor(),
    signal: stopping.signal,
    status: () => {},
    reload: () => Promise.resolve({ ok: true, taken: [], needsRestart: [] }),
    fail: (error) => {
      throw error;
    },
  });
  return {
    log,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await daemon.stop();
    },
  };
}

test('a leaf registers, reports its ports and pings, over the real wire', async () => {
  await using redis = await startRedis();
  await using api = await startApi();
  await using sysfs = await createSysfs();
  await sysfs.netdev('Ethernet0', { operstate: 'up', carrier: '1' });
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await using running = new AsyncDisposableStack();
  running.use(await startDaemon(redis, api, sysfs));
  await vi.waitUntil(() => api.heartbeats.length > 1 && api.pings.length > 0, WAIT);
  expect(api.switches.get('leaf01')).toMatchObject({
    partition: 'lab',
    rack: 'rack-1',
    managementIp: '10.0.0.11',
    managementUser: 'admin',
    os: { vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC, version: '202411.1-test' },
    nics: [
      { name: 'Ethernet0', identifier: 'Eth1/1', state: { actual: UP } },
      { name: 'Ethernet4', identifier: 'Eth1/2', state: { actual: UNKNOWN } },
    ],
  });
  expect(api.switches.get('leaf01')?.room).toBeUndefined();
  expect(api.heartbeats.at(-1)?.portStates).toEqual({ Ethernet0: UP, Ethernet4: UNKNOWN });
  expect(api.pings[0]).toMatchObject({ type: apiV2.ComponentType.METAL_CORE, identifier: 'leaf01' });
  await sysfs.netdev('Ethernet0', { operstate: 'down', carrier: '0' });
  await vi.waitUntil(() => api.heartbeats.at(-1)?.portStates['Ethernet0'] === DOWN, WAIT);
});

test('a leaf whose Redis is killed and restarted stays registered, and says what is wrong in between', async () => {
  await using redis = await startRedis();
  await using api = await startApi();
  await using sysfs = await createSysfs();
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await using daemon = await startDaemon(redis, api, sysfs);
  await vi.waitUntil(() => api.switches.has('leaf01'), WAIT);
  await redis.signal('SIGKILL');
  await vi.waitUntil(() => api.heartbeats.at(-1)?.error?.includes('CONFIG_DB') === true, WAIT);
  await redis.start();
  await vi.waitUntil(() => api.heartbeats.at(-1)?.error?.includes('has no PORT rows') === true, WAIT);
  await redis.run(CONFIG_DB, [...PORTS, ['HSET', 'PORT|Ethernet8', 'alias', 'Eth1/3']]);
  await vi.waitUntil(() => api.switches.get('leaf01')?.nics.length === 3, WAIT);
  await vi.waitUntil(() => api.heartbeats.at(-1)?.error === undefined, WAIT);
  expect(daemon.log.records).toContainEqual(expect.objectContaining({ msg: 'config-db: works again' }));
});

test('a hung Redis silences no heartbeat', async () => {
  await using redis = await startRedis();
  await using api = await startApi();
  await using sysfs = await createSysfs();
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await using running = new AsyncDisposableStack();
  running.use(await startDaemon(redis, api, sysfs));
  await vi.waitUntil(() => api.switches.has('leaf01'), WAIT);
  await redis.signal('SIGSTOP');
  await vi.waitUntil(() => api.heartbeats.at(-1)?.error?.includes('does not answer') === true, WAIT);
  const before = api.heartbeats.length;
  await vi.waitUntil(() => api.heartbeats.length >= before + 2, { ...WAIT, timeout: 4000 });
  expect(api.heartbeats.at(-1)?.portStates).toEqual({ Ethernet0: UNKNOWN, Ethernet4: UNKNOWN });
  await redis.signal('SIGCONT');
  await vi.waitUntil(() => api.heartbeats.at(-1)?.error === undefined, WAIT);
});

test('a leaf that starts before its Redis and its API waits for both', async () => {
  await using redis = await startRedis();
  await redis.signal('SIGKILL');
  await using api = await startApi();
  await api.stop();
  await using sysfs = await createSysfs();
  await using daemon = await startDaemon(redis, api, sysfs);
  await vi.waitUntil(() => daemon.log.records.some(({ msg }) => msg.startsWith('app-db: ')), WAIT);
  await redis.start();
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await vi.waitUntil(() => daemon.log.records.some(({ msg }) => msg.startsWith('register: ')), WAIT);
  await api.start();
  await vi.waitUntil(() => api.switches.has('leaf01'), WAIT);
});

test('an API server that comes back empty gets the switch again', async () => {
  await using redis = await startRedis();
  await using api = await startApi();
  await using sysfs = await createSysfs();
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await using running = new AsyncDisposableStack();
  running.use(await startDaemon(redis, api, sysfs));
  await vi.waitUntil(() => api.heartbeats.length > 0, WAIT);
  await api.stop();
  api.switches.clear();
  await api.start();
  await vi.waitUntil(() => api.switches.has('leaf01'), WAIT);
});

test('a renewed token is read from its file without a restart', async () => {
  await using redis = await startRedis();
  await using api = await startApi();
  await using sysfs = await createSysfs();
  await redis.run(CONFIG_DB, PORTS);
  await redis.run(APPL_DB, INITIALISED);
  await using daemon = await startDaemon(redis, api, sysfs);
  await vi.waitUntil(() => api.heartbeats.length > 0, WAIT);
  api.setToken('second-token');
  await vi.waitUntil(() => daemon.log.records.some(({ msg }) => msg === 'heartbeat: this token is not valid'), WAIT);
  const before = api.heartbeats.length;
  await writeFile(api.tokenFile, 'second-token\n');
  await vi.waitUntil(() => api.heartbeats.length > before, WAIT);
  expect(JSON.stringify(daemon.log.records)).not.toContain('-token"');
});
