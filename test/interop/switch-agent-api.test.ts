/** The switch agent and the API server, each as it is, with a Redis between the agent and SONiC that is not there. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminV2, apiV2, create, createClient, durationFromMs } from '@ingot/api';
import { type Clock, systemClock } from '@ingot/net';
import { expect, test, vi } from 'vitest';
import { type Rig, startRig } from '../../packages/api-server/test/support.ts';
import { startDaemon } from '../../packages/switch-agent/test/daemon-kit.ts';
import { APPL_DB, CONFIG_DB, startRedis, type TestRedis } from '../../packages/switch-agent/test/redis-server.ts';
import { createSysfs } from '../../packages/switch-agent/test/sysfs.ts';

const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';
const WAIT = { timeout: 40_000, interval: 50 };

/** A leaf of two ports, and how its agent reaches the API with a token of its own. */
async function leafOf(rig: Rig, redis: TestRedis): Promise<{ url: string; caFile: string; tokenFile: string }> {
  await redis.run(CONFIG_DB, [
    ['HSET', 'PORT|Ethernet0', 'alias', 'Eth1/1', 'lanes', '1'],
    ['HSET', 'PORT|Ethernet4', 'alias', 'Eth1/2', 'lanes', '5'],
  ]);
  await redis.run(APPL_DB, [['HSET', 'PORT_TABLE:PortInitDone', 'lanes', '0']]);
  const tokenFile = join(redis.folder, 'token');
  await writeFile(tokenFile, await rig.mint({ infraRole: apiV2.InfraRole.EDITOR, expires: durationFromMs(600_000) }), {
    mode: 0o600,
  });
  return { url: rig.url, caFile: rig.plane.caFile, tokenFile };
}

test('a machine that LLDP shows to be installed has phoned home', async () => {
  await using rig = await startRig();
  await using redis = await startRedis();
  await using sysfs = await createSysfs();
  const api = await leafOf(rig, redis);
  await rig.plane.stores.machines.put(MACHINE, create(apiV2.MachineSchema, { uuid: MACHINE }));
  const row = { lldp_rem_sys_name: MACHINE, lldp_rem_sys_desc: 'debian 12, provisioned since 2026-11-21' };
  await redis.run(APPL_DB, [['HSET', 'LLDP_ENTRY_TABLE:Ethernet0:52:54:00:00:00:01', ...Object.entries(row).flat()]]);
  await using running = new AsyncDisposableStack();
  running.use(await startDaemon(redis, api, sysfs));
  const machines = createClient(adminV2.MachineService, rig.admin);
  const event = await vi.waitFor(async () => {
    const { machine } = await machines.get({ uuid: MACHINE });
    const found = machine?.recentProvisioningEvents?.events[0];
    if (found === undefined) throw new Error('no event yet');
    return found;
  }, WAIT);
  expect(event).toMatchObject({
    event: apiV2.MachineProvisioningEventType.PHONED_HOME,
    message: 'debian 12, provisioned since 2026-11-21',
  });
});

test('a token that is near its end is renewed, and the agent goes on with the new one', async () => {
  await using rig = await startRig();
  await using redis = await startRedis();
  await using sysfs = await createSysfs();
  const api = await leafOf(rig, redis);
  const read = async (): Promise<string> => (await readFile(api.tokenFile, 'utf8')).trim();
  const first = await read();
  const late: Clock = {
    now: () => systemClock.now() + 420_000,
    monotonic: () => systemClock.monotonic(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms),
    setInterval: (fn, ms) => systemClock.setInterval(fn, ms),
  };
  await using running = new AsyncDisposableStack();
  const { log } = running.use(await startDaemon(redis, api, sysfs, {}, late));
  await vi.waitUntil(async () => (await read()) !== first, WAIT);
  expect((await stat(api.tokenFile)).mode & 0o777).toBe(0o600);

  const renewed = createClient(apiV2.TokenService, rig.channel(await read()));
  const { tokens } = await renewed.list({});
  const agents = tokens.filter(({ infraRole }) => infraRole === apiV2.InfraRole.EDITOR);
  expect(agents).toHaveLength(2);
  const claims: unknown = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString());
  const old = agents.find(({ uuid }) => Object.is(Object(claims).jti, uuid));
  await createClient(adminV2.TokenService, rig.admin).revoke({ uuid: old?.uuid ?? '', user: old?.user ?? '' });
  const switches = createClient(adminV2.SwitchService, rig.admin);
  const lastSync = async (): Promise<bigint> => {
    const found = (await switches.list({})).switches.find(({ id }) => id === 'leaf01');
    // The API dislikes the clock, and the heartbeats say so.
    return found?.lastSyncError?.time?.seconds ?? 0n;
  };
  await vi.waitUntil(async () => (await lastSync()) > 0n, WAIT);
  const before = await lastSync();
  await vi.waitUntil(async () => (await lastSync()) > before, WAIT);
  expect(log.records.filter(({ msg }) => msg === 'the token is renewed')).toHaveLength(1);
});
