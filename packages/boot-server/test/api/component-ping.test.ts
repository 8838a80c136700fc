import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError, apiV2, bindService, Code, createApiServer, durationMs, infraV2, timestampMs } from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { startComponentPings, type ComponentApi, type ComponentPing } from '../../src/api/component-ping.ts';
import { grpcBootApi } from '../../src/api/grpc-boot-api.ts';
import { bootServerVersion } from '../../src/version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const STARTED_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

interface Kit {
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  readonly pings: ComponentPing[];
  /** Set: every ping fails with it. */
  failure: Error | undefined;
  messages(level: string): string[];
  stop(): Promise<void>;
}

function startPings(failure?: Error): Kit {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const api: ComponentApi = {
    ping: (ping) => {
      if (kit.failure !== undefined) return Promise.reject(kit.failure);
      kit.pings.push(ping);
      return Promise.resolve();
    },
  };
  const kit: Kit = {
    clock,
    log,
    pings: [],
    failure,
    messages: (level) => log.records.filter((record) => record['level'] === level).map(({ msg }) => msg),
    stop: () => running.stop(),
  };
  const running = startComponentPings({
    api,
    identifier: 'boot1',
    version: bootServerVersion,
    clock,
    entropy: mockEntropy(5),
    log,
  });
  return kit;
}

describe('the component pings', () => {
  it('go out at once and every five minutes, with the time of the start', async () => {
    const kit = startPings();
    await kit.clock.advance(11 * MINUTE_MS);
    const ping = { identifier: 'boot1', version: bootServerVersion, startedAtMs: STARTED_MS, intervalMs: 300_000 };
    expect(kit.pings).toEqual([ping, ping, ping]);
    await kit.stop();
    expect(kit.clock.pendingTimers).toBe(0);
  });

  it('are tried again until one is heard, and the reason is said once', async () => {
    const kit = startPings(new Error('connection refused'));
    await kit.clock.advance(4 * MINUTE_MS);
    expect(kit.messages('warn')).toEqual([expect.stringContaining('connection refused')]);
    kit.failure = new Error('the token is not valid');
    await kit.clock.advance(4 * MINUTE_MS);
    expect(kit.messages('warn')).toHaveLength(2);
    expect(kit.pings).toHaveLength(0);
    kit.failure = undefined;
    await kit.clock.advance(2 * MINUTE_MS);
    expect(kit.pings).toHaveLength(1);
    expect(kit.messages('info')).toEqual([expect.stringContaining('again')]);
    await kit.stop();
  });

  it('end at once, also while one waits to be tried again', async () => {
    const kit = startPings(new Error('connection refused'));
    await kit.clock.advance(1_000);
    await kit.stop();
    expect(kit.clock.pendingTimers).toBe(0);
  });
});

it('a ping reaches an API server as a PIXIECORE component', async () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../../../api/test/fixtures/${name}`, import.meta.url), 'utf8');
  const seen: unknown[] = [];
  const server = createApiServer<string>({
    services: [
      bindService<typeof infraV2.ComponentService, string>(infraV2.ComponentService, {
        ping: ({ type, identifier, startedAt, interval, version }) => {
          if (identifier === 'stranger') throw new ApiError(Code.PermissionDenied, 'not you');
          seen.push({
            type,
            identifier,
            startedAtMs: startedAt === undefined ? undefined : timestampMs(startedAt),
            intervalMs: interval === undefined ? undefined : durationMs(interval),
            version: version?.version,
          });
          return {};
        },
      }),
    ],
    tls: { cert: fixture('server.pem'), key: fixture('server.key') },
    listen: ['127.0.0.1:0'],
    authenticate: (bearer) => bearer ?? '',
    authorize: () => undefined,
  });
  await server.start();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'ca.pem'), fixture('ca.pem'));
  writeFileSync(join(folder, 'token'), 'good', { mode: 0o600 });
  const { signal } = new AbortController();
  const api = grpcBootApi({
    url: `https://${server.addresses[0]}`,
    caFile: join(folder, 'ca.pem'),
    tokenFile: join(folder, 'token'),
    partition: 'lab',
    signal,
  });
  onTestFinished(async () => {
    await api.close();
    await server.stop();
  });
  const ping = { identifier: 'boot1', version: bootServerVersion, startedAtMs: STARTED_MS, intervalMs: 300_000 };
  await api.ping(ping, signal);
  expect(seen).toEqual([
    {
      type: apiV2.ComponentType.PIXIECORE,
      identifier: 'boot1',
      startedAtMs: STARTED_MS,
      intervalMs: 300_000,
      version: bootServerVersion,
    },
  ]);
  await expect(api.ping({ ...ping, identifier: 'stranger' }, signal)).rejects.toMatchObject({
    code: 'BOOT_API_REFUSED',
  });
});

it('the version told to the API is that of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: bootServerVersion.replace('ingot ', '') });
});
