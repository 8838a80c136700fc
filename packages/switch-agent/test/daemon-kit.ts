import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHealth, createMetrics, MemoryLogger, Redactor, type RunningDaemon } from '@ingot/daemon';
import { type Clock, systemClock, systemEntropy } from '@ingot/net';
import { switchAgentConfig } from '../src/config.ts';
import { runSwitchAgent } from '../src/run.ts';
import type { TestApi } from './api-kit.ts';
import type { TestRedis } from './redis-server.ts';
import type { TestSysfs } from './sysfs.ts';

export interface Daemon extends AsyncDisposable {
  readonly log: MemoryLogger;
}

/** The agent's settings, as its file would have them. */
export async function configFor(
  redis: TestRedis,
  api: Pick<TestApi, 'url' | 'caFile' | 'tokenFile'>,
  sysfs: TestSysfs,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
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
  return {
    partition: 'lab',
    rack: 'rack-1',
    hostname: 'leaf01',
    managementIp: '10.0.0.11',
    redis: { databaseConfig, timeoutSeconds: 1 },
    sonicVersionFile,
    sysClassNet: sysfs.path,
    statusSocket: join(redis.folder, 'status.sock'),
    heartbeatSeconds: 1,
    api: { url: api.url, caFile: api.caFile, tokenFile: api.tokenFile, timeoutSeconds: 2 },
    ...settings,
  };
}

/** The agent as `ingot switch-agent` runs it, on a leaf made of a real Redis, a sysfs folder and two files. */
export async function startDaemon(
  redis: TestRedis,
  api: Pick<TestApi, 'url' | 'caFile' | 'tokenFile'>,
  sysfs: TestSysfs,
  settings: Readonly<Record<string, unknown>> = {},
  clock: Clock = systemClock,
): Promise<Daemon> {
  const config = await configFor(redis, api, sysfs, settings);
  const parsed = switchAgentConfig.parse(config);
  if (!parsed.success) throw parsed.error;
  const stopping = new AbortController();
  const log = new MemoryLogger();
  const daemon: RunningDaemon = await runSwitchAgent({
    config: parsed.data,
    log,
    clock,
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
