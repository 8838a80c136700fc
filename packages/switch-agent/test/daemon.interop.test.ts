import { writeFile } from 'node:fs/promises';
import { apiV2 } from '@ingot/api';
import { expect, test, vi } from 'vitest';
import { startApi } from './api-kit.ts';
import { startDaemon } from './daemon-kit.ts';
import { APPL_DB, CONFIG_DB, startRedis } from './redis-server.ts';
import { createSysfs } from './sysfs.ts';

const { DOWN, UNKNOWN, UP } = apiV2.SwitchPortStatus;
const PORTS = [
  ['HSET', 'PORT|Ethernet0', 'alias', 'Eth1/1', 'lanes', '1'],
  ['HSET', 'PORT|Ethernet4', 'alias', 'Eth1/2', 'lanes', '5'],
];
const INITIALISED = [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']];
const WAIT = { timeout: 30_000, interval: 50 };

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
