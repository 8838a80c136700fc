import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, createClient } from '@ingot/api';
import { createHealth, createMetrics, loadConfig, MemoryLogger, Redactor, type LoadedConfig } from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { apiServerConfig, runApiServer, startControlPlane, type ApiServerConfig } from '../src/index.ts';

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-run-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function configured(directory: string, yaml: string): Promise<LoadedConfig<ApiServerConfig>> {
  const file = join(directory, 'config.yaml');
  await writeFile(file, yaml);
  return loadConfig(apiServerConfig, { argv: ['--config', file], env: {} });
}

const yaml = (dataDir: string): string => `
dataDir: ${dataDir}
listen: [127.0.0.1:0, "unix:${dataDir}/api.sock"]
tls: { names: [api.lab] }
partitions:
  - id: lab
    bootConfiguration: { kernelUrl: http://10.0.0.1/vmlinuz, imageUrl: file:///srv/initrd }
    ntpServers: [10.0.0.1]
`;

describe('the daemon', () => {
  test('starts from a configuration file, serves on every address, says where its files are, and stops', () =>
    inDirectory(async (directory) => {
      const loaded = await configured(directory, yaml(join(directory, 'data')));
      if (loaded.kind !== 'config') throw new Error(`the configuration is refused: ${JSON.stringify(loaded)}`);
      const log = new MemoryLogger();
      const metrics = createMetrics();
      const health = createHealth({ clock: systemClock });
      const running = await runApiServer({
        config: loaded.config,
        log,
        clock: systemClock,
        entropy: systemEntropy,
        metrics,
        health,
        redactor: new Redactor([]),
        signal: new AbortController().signal,
        status: () => undefined,
        reload: () => Promise.resolve({ ok: true, taken: [], needsRestart: [] }),
        fail: (error) => {
          throw error;
        },
      });
      const started = log.records.find(({ fields }) => fields['event'] === 'api.listening')?.fields;
      const listen: unknown = started?.['listen'];
      expect(listen).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), `unix:${directory}/data/api.sock`]);
      expect(started).toMatchObject({
        caFile: `${directory}/data/tls/ca.pem`,
        adminTokenFile: `${directory}/data/admin.token`,
      });
      const ca = await readFile(`${directory}/data/tls/ca.pem`, 'utf8');
      const [tcp, unix] = Array.isArray(listen) ? listen.map(String) : [];
      for (const target of [
        { url: `https://${tcp ?? ''}` },
        { url: `https://${tcp ?? ''}`, serverName: 'api.lab' },
        { url: unix ?? '' },
      ]) {
        const client = createClient(apiV2.VersionService, { ...target, ca });
        expect((await client.get({})).version?.version).not.toBe('');
        client.close();
      }
      expect((await health.readiness()).checks).toMatchObject({ database: { ok: true } });
      expect(await metrics.text()).toContain(
        'ingot_api_calls_total{method="/metalstack.api.v2.VersionService/Get",code="Ok"} 3',
      );
      await running.stop();
    }));

  test('refuses a partition that agents could not use', () =>
    inDirectory(async (directory) => {
      const bad = yaml(join(directory, 'data')).replace('ntpServers: [10.0.0.1]', 'ntpServers: ["no name"]');
      const loaded = await configured(directory, bad);
      if (loaded.kind !== 'config') throw new Error('refused too early');
      await expect(
        runApiServer({
          config: loaded.config,
          log: new MemoryLogger(),
          clock: systemClock,
          entropy: systemEntropy,
          metrics: createMetrics(),
          health: createHealth({ clock: systemClock }),
          redactor: new Redactor([]),
          signal: new AbortController().signal,
          status: () => undefined,
          reload: () => Promise.resolve({ ok: true, taken: [], needsRestart: [] }),
          fail: () => undefined,
        }),
      ).rejects.toThrow('partition "lab": ntp_servers[0].address must be an IP address or a hostname, not "no name"');
    }));

  test('keeps others out of its dataDir, as long as it runs', () =>
    inDirectory(async (directory) => {
      const start = () =>
        startControlPlane({
          dataDir: join(directory, 'data'),
          database: { dialect: 'sqlite', path: join(directory, `${(servers += 1)}.sqlite`) },
          listen: ['127.0.0.1:0'],
          names: [],
          partitions: [],
          clock: systemClock,
          entropy: systemEntropy,
          log: new MemoryLogger(),
        });
      let servers = 0;
      const first = await start();
      await expect(start()).rejects.toThrow(/another API server runs on .*data: stop it, or give this one a dataDir/);
      await first.stop();
      await (await start()).stop();
    }));
});
