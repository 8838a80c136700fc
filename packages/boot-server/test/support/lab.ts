import { onTestFinished } from 'vitest';
import { createHealth, createMetrics, MemoryLogger, Redactor, type Metrics } from '@ingot/daemon';
import { loadLibc, MockClock, mockEntropy, MockNetwork, type Impairment, type MockHost } from '@ingot/net';
import type { BootAnswer, BootApi } from '../../src/api/boot-api.ts';
import { startBootServer, type BootServer } from '../../src/boot-server.ts';
import type { BootServerConfig } from '../../src/config.ts';
import { SERVER, testConfig } from './config.ts';
import { dropsOf } from './drops.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** An API whose answers a test sets. */
export class FakeApi implements BootApi {
  readonly calls: string[] = [];
  failure: Error | undefined;
  answer: BootAnswer = { kernel: 'file:///none/vmlinuz', initRamDisks: ['file:///none/initrd'], cmdline: 'quiet' };

  dhcp(uuid: string): Promise<void> {
    return this.#call(`dhcp ${uuid}`, undefined);
  }

  boot(bootMac: string): Promise<BootAnswer> {
    return this.#call(`boot ${bootMac}`, this.answer);
  }

  machineToken(uuid: string): Promise<string> {
    return this.#call(`token ${uuid}`, `token-of-${uuid}`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #call<T>(what: string, value: T): Promise<T> {
    this.calls.push(what);
    return this.failure === undefined ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

export interface Lab {
  readonly clock: MockClock;
  readonly network: MockNetwork;
  readonly api: FakeApi;
  readonly log: MemoryLogger;
  readonly metrics: Metrics;
  readonly server: BootServer;
  readonly dataDir: string;
  readonly serverHost: MockHost;
  /** The count of a drop reason so far. */
  drops(service: string, reason: string): Promise<number>;
  get(path: string, options?: RequestInit): Promise<Response>;
}

/** A running boot server on a network in memory; HTTP is on loopback. Stopped when the test ends. */
export async function startLab(
  options: {
    config?: (dataDir: string) => BootServerConfig;
    dataDir?: string;
    impairment?: Impairment;
    withoutApi?: boolean;
  } = {},
): Promise<Lab> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(7), ...options.impairment });
  const dataDir = options.dataDir ?? temporaryFolder();
  const config = (options.config ?? testConfig)(dataDir);
  const api = new FakeApi();
  const log = new MemoryLogger();
  const metrics = createMetrics();
  const serverHost = network.host('server', `${SERVER}/24`, '2001:db8::1', 'fe80::1%rack');
  const stopping = new AbortController();
  const server = await startBootServer({
    config,
    network: serverHost,
    clock,
    entropy: mockEntropy(3),
    log,
    metrics,
    health: createHealth({ clock }),
    redactor: new Redactor(),
    api: options.withoutApi === true ? undefined : api,
    libc: await loadLibc(),
    signal: stopping.signal,
    reload: () => Promise.resolve({ ok: false, reason: 'the test reloads the server itself' }),
  });
  onTestFinished(async () => {
    stopping.abort();
    await server.stop();
  });
  return {
    clock,
    network,
    api,
    log,
    metrics,
    server,
    dataDir,
    serverHost,
    drops: (service, reason) => dropsOf(metrics, service, reason),
    get: (path, init) => fetch(`http://127.0.0.1:${server.httpPort}${path}`, init),
  };
}
