import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, bindService, Code, createApiServer, infraV2, apiV2 } from '@ingot/api';
import type { ApiServer, ServiceHandlers } from '@ingot/api';
import { MockClock, mockEntropy, nodeNetwork } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectApi } from '../src/life/api.ts';
import { live } from '../src/life/life.ts';
import { createReporter } from '../src/life/reporter.ts';
import { openState } from '../src/life/state.ts';
import type { State } from '../src/life/state.ts';
import { openSysfs } from '../src/sysfs.ts';
import { epyc, uuid } from './machines.ts';
import { plant } from './tree.ts';

const pem = (name: string): string => readFileSync(new URL(`../../api/test/fixtures/${name}`, import.meta.url), 'utf8');
const neighbors = readFileSync(new URL('fixtures/lldp-two-leaves.json', import.meta.url), 'utf8')
  .replace('"m1"', '"eth0"')
  .replace('"m2"', '"eth1"');

const eventName = (type: number): string =>
  Object.entries(apiV2.MachineProvisioningEventType).find(([, value]) => value === type)?.[0] ?? String(type);

type Boot = ServiceHandlers<typeof infraV2.BootService, string>;

/** A machine, its boot server and a real API server with recording services. */
class Rig implements AsyncDisposable {
  readonly clock = new MockClock({ nowMs: Date.now() });
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ingot-life-'));
  readonly machine: ReturnType<typeof plant> = plant({
    ...epyc,
    '/proc/cmdline': 'console=ttyS0 PIXIE_API_URL=http://10.0.0.1:8080/config/x?nonce=1\n',
  });
  readonly events: string[] = [];
  readonly lines: string[] = [];
  readonly registered: infraV2.BootServiceRegisterRequest[] = [];
  readonly tokens: string[] = [];
  readonly stopping = new AbortController();
  waits = 0;
  state: State = openState(this.directory, { insideImage: false });
  #server: ApiServer | undefined;
  #running: Promise<void> | undefined;

  async start(boot: Boot = {}): Promise<void> {
    this.#server = createApiServer<string>({
      services: [
        bindService(infraV2.BootService, {
          register: (request) => {
            this.registered.push(request);
            return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
          },
          wait: async function* (this: void, _request, { signal }) {
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            yield* [];
          },
          ...boot,
        }),
        bindService(infraV2.EventService, {
          send: ({ events }) => {
            for (const [id, { event, message }] of Object.entries(events))
              this.events.push(`${id === uuid ? '' : id}${eventName(event)}: ${message}`);
            return { events: 1n, failed: [] };
          },
        }),
      ],
      tls: { cert: pem('server.pem'), key: pem('server.key') },
      listen: ['127.0.0.1:0'],
      authenticate: (bearer) => {
        this.tokens.push(bearer ?? '');
        return bearer ?? '';
      },
      authorize: () => undefined,
    });
    await this.#server.start();
    const url = `https://${this.#server.addresses[0]}`;
    const body = JSON.stringify({
      client: { metal_apiserver_url: url, metal_hammer_token: 'machine-token', ca_cert: pem('ca.pem') },
      partition: 'lab',
    });
    const { clock, state } = this;
    this.#running = live({
      sysfs: openSysfs(this.machine.root),
      run: (file) => (file === 'lldpcli' ? Promise.resolve(neighbors) : Promise.reject(new Error(`no ${file}`))),
      clock,
      entropy: mockEntropy(7),
      state,
      reporter: createReporter({ clock, state, uptime: () => 12.3, write: (line) => this.lines.push(line) }),
      version: '0.1.0',
      httpGet: () => Promise.resolve({ status: 200, body, dateMs: clock.now() }),
      network: nodeNetwork({ native: false }),
      openIpmi: () => {
        throw new Error('this machine has no BMC');
      },
      connect: connectApi,
      signal: this.stopping.signal,
    });
    this.#running.catch(() => undefined);
  }

  /** Lets virtual time run while real sockets answer. */
  async until(condition: () => boolean): Promise<void> {
    const giveUp = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > giveUp) throw new Error(`never happened; console:\n${this.lines.join('\n')}`);
      await this.clock.advance(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort(new Error('test over'));
    await this.#running?.catch(() => undefined);
    await this.#server?.stop();
    this.machine[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const phases = (): string[] => [...new Set(rig.lines.map((line) => line.split(' ')[2] ?? ''))];

test('a machine registers with hardware, neighbours and serials, and waits', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.until(() => rig.events.some((event) => event.startsWith('WAITING')));
  expect(rig.events.slice(0, 3)).toEqual([
    'PREPARING: starting discovery agent 0.1.0',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
  expect(phases()).toEqual(['config', 'inventory', 'lldp', 'bmc', 'register', 'waiting']);
  expect(new Set(rig.tokens)).toEqual(new Set(['machine-token']));
  const [request] = rig.registered;
  expect(request).toMatchObject({ uuid, partition: 'lab', metalHammerVersion: '0.1.0' });
  expect(request?.hardware?.memory).toBe(384n * 2n ** 30n);
  expect(request?.hardware?.disks).toHaveLength(4);
  expect(request?.hardware?.gpus).toHaveLength(2);
  expect(request?.tags).toContain(
    'ingot.inventory.disk/nvme0n1=SAMSUNG MZQL23T8HCLS-00A07;S64HNE0T10000;GDC5602Q;3840755982336',
  );
  expect(request?.hardware?.nics[0]).toMatchObject({
    name: 'eth0',
    mac: '0c:42:a1:00:00:10',
    neighbors: [{ hostname: 'leaf1', identifier: 'Eth1/1', name: 'Ethernet0', mac: 'aa:79:c2:e3:53:33' }],
  });
});

test('while waiting it says each minute that it is alive', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.until(() => rig.events.some((event) => event.startsWith('WAITING')));
  await rig.clock.advance(61_000);
  await rig.until(() => rig.events.includes('ALIVE: still waiting'));
});

test(
  'a lost stream is opened again, not sooner than after 7 s and never twice at once',
  { timeout: 30_000 },
  async () => {
    let open = 0;
    let most = 0;
    const openedAt: number[] = [];
    await rig.start({
      wait: async function* (_request, { signal }) {
        open += 1;
        most = Math.max(most, open);
        openedAt.push(rig.clock.monotonic());
        try {
          if (openedAt.length < 3) throw new ApiError(Code.Unavailable, 'going down');
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          yield* [];
        } finally {
          open -= 1;
        }
      },
    });
    await rig.until(() => openedAt.length === 3);
    expect(most).toBe(1);
    const [first = 0, second = 0] = openedAt;
    expect(second - first).toBeGreaterThanOrEqual(7_000);
    expect(rig.lines.join('\n')).toContain('waiting lost the API: going down; again in');
  },
);

test(
  'a refused registration is reported as Crashed with its reason, and tried again',
  { timeout: 30_000 },
  async () => {
    let tries = 0;
    await rig.start({
      register: (request) => {
        tries += 1;
        if (tries === 1) throw new ApiError(Code.FailedPrecondition, 'expected leaf1 and leaf2, saw leaf1');
        return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
      },
    });
    await rig.until(() => rig.events.some((event) => event.startsWith('WAITING')));
    expect(rig.events).toEqual([
      'PREPARING: starting discovery agent 0.1.0',
      'REGISTERING: registering',
      'CRASHED: register: expected leaf1 and leaf2, saw leaf1',
      'PREPARING: registering again',
      'REGISTERING: registering again',
      'WAITING: waiting for allocation',
    ]);
    expect(rig.lines.join('\n')).toContain('FailedPrecondition: expected leaf1 and leaf2, saw leaf1; again in');
  },
);

test('an API that is away delays the registration without a Crashed event', { timeout: 30_000 }, async () => {
  let tries = 0;
  await rig.start({
    register: (request) => {
      tries += 1;
      if (tries < 3) throw new ApiError(Code.Unavailable, 'away');
      return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
    },
  });
  await rig.until(() => rig.events.some((event) => event.startsWith('WAITING')));
  expect(rig.events.some((event) => event.startsWith('CRASHED'))).toBe(false);
});

test('the run after a crash reports it first, then starts over', { timeout: 30_000 }, async () => {
  writeFileSync(join(rig.directory, 'last-exit'), 'code=137\nphase=inventory\nlived=4\n');
  await rig.start();
  await rig.until(() => rig.events.length >= 2);
  expect(rig.events.slice(0, 2)).toEqual([
    'CRASHED: inventory: killed by SIGKILL',
    'PREPARING: starting discovery agent 0.1.0',
  ]);
  expect(rig.state.lastExit()).toBeUndefined();
});

test('the config is kept for the next run, readable for root only', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.until(() => rig.events.length > 0);
  expect(rig.state.config()).toContain('machine-token');
  expect(rig.lines.join('\n')).not.toContain('machine-token');
  expect(readFileSync(join(rig.directory, 'agent.log'), 'utf8')).not.toContain('machine-token');
});
