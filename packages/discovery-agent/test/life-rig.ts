import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminV2,
  ApiError,
  apiV2,
  bindService,
  Code,
  create,
  createApiServer,
  infraV2,
  timestampFromMs,
  type ApiServer,
  type MessageInitShape,
  type ServiceHandlers,
} from '@ingot/api';
import { MockClock, mockEntropy, nodeNetwork } from '@ingot/net';
import { connectApi } from '../src/life/api.ts';
import type { CallTimes } from '../src/life/api.ts';
import { Board } from '../src/life/board.ts';
import { live } from '../src/life/life.ts';
import type { LifeParts } from '../src/life/parts.ts';
import { createPulse } from '../src/life/pulse.ts';
import { createReporter } from '../src/life/reporter.ts';
import { openState } from '../src/life/state.ts';
import type { State } from '../src/life/state.ts';
import type { Wipe } from '../src/life/wipe-order.ts';
import { postJson } from '../src/log/post-json.ts';
import { openSysfs } from '../src/sysfs.ts';
import { epyc, uuid } from './machines.ts';
import { unexpected } from './provisioning.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

export const pem = (name: string): string =>
  readFileSync(new URL(`../../api/test/fixtures/${name}`, import.meta.url), 'utf8');
export const twoLeaves: string = readFileSync(new URL('fixtures/lldp-two-leaves.json', import.meta.url), 'utf8')
  .replace('"m1"', '"eth0"')
  .replace('"m2"', '"eth1"');

const eventName = (type: number): string =>
  Object.entries(apiV2.MachineProvisioningEventType).find(([, value]) => value === type)?.[0] ?? String(type);

export type BootHandlers = ServiceHandlers<typeof infraV2.BootService, string>;

export interface RigOptions {
  readonly boot?: BootHandlers;
  readonly tree?: Tree;
  readonly wipe?: Wipe;
  /** Fields of the config besides the client's. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Throws to refuse a token. */
  readonly authenticate?: (bearer: string) => void;
  /** Instead of an answer with the config. */
  readonly httpGet?: LifeParts['httpGet'];
  readonly openIpmi?: LifeParts['openIpmi'];
  /** Default: the real one. */
  readonly network?: LifeParts['network'];
  /** For programs other than lldpcli. */
  readonly run?: LifeParts['run'];
  /** How long the API may take for an answer; default as in life. */
  readonly times?: CallTimes;
}

/** A machine, its boot server and a real API server with recording services. */
export class Rig implements AsyncDisposable {
  readonly clock: MockClock = new MockClock({ nowMs: Date.now() });
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ingot-life-'));
  readonly events: string[] = [];
  readonly lines: string[] = [];
  readonly registered: infraV2.BootServiceRegisterRequest[] = [];
  readonly tokens: string[] = [];
  readonly asked: string[] = [];
  /** Programs that ran, with their arguments. */
  readonly programs: string[] = [];
  readonly stopping: AbortController = new AbortController();
  readonly board: Board = new Board(() => this.addresses);
  readonly state: State = openState(this.directory, { insideImage: false });
  readonly pulse: ReturnType<typeof createPulse> = createPulse(this.clock);
  addresses: readonly string[] = ['eth0 10.0.0.5'];
  reboots = 0;
  /** Streams that are open at this moment. */
  waiting = 0;
  /** Streams that were opened. */
  streams = 0;
  neighbors: string = twoLeaves;
  /** What the boot server gives now. */
  config: Record<string, unknown> = {};
  /** What the API knows of the machine; throws to answer with an error. */
  machine: () => MessageInitShape<typeof apiV2.MachineSchema> = () => ({});
  /** Events the API cannot take are those that this throws for. */
  onEvent: (event: string) => void | Promise<void> = () => undefined;
  /** Called with each line of the console. */
  onLine: (line: string) => void = () => undefined;
  #allocations = Promise.withResolvers<void>();
  #address = '127.0.0.1:0';
  #planted: ReturnType<typeof plant> | undefined;
  #server: ApiServer | undefined;
  #running: Promise<void> | undefined;
  outcome: unknown;

  async start(options: RigOptions = {}): Promise<void> {
    await this.listen(options);
    this.#planted ??= plant({
      ...epyc,
      '/proc/cmdline': 'console=ttyS0 PIXIE_API_URL=http://10.0.0.1:8080/config/x?nonce=first-nonce\n',
      ...options.tree,
    });
    this.live(options);
  }

  get root(): string {
    return this.#planted?.root ?? '';
  }

  /** Starts the API server, or another one in its place on the same port. */
  async listen({ boot = {}, authenticate = () => undefined, config = {} }: RigOptions = {}): Promise<void> {
    await this.#server?.stop();
    this.#server = createApiServer<string>({
      services: [
        bindService(infraV2.BootService, {
          register: (request) => {
            this.registered.push(request);
            return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
          },
          superUserPassword: () => ({ featureDisabled: true }),
          wait: (_request, { signal }) => this.#wait(signal),
          ...boot,
        }),
        bindService(infraV2.EventService, {
          send: async ({ events }) => {
            for (const [id, { event, message }] of Object.entries(events)) {
              const text = `${id === uuid ? '' : id}${eventName(event)}: ${message}`;
              await this.onEvent(text);
              this.events.push(text);
            }
            return { events: 1n, failed: [] };
          },
        }),
        bindService(adminV2.MachineService, {
          get: (request) => {
            this.asked.push(request.uuid);
            return { machine: { uuid, ...this.machine() } };
          },
        }),
      ],
      tls: { cert: pem('server.pem'), key: pem('server.key') },
      listen: [this.#address],
      authenticate: (bearer) => {
        this.tokens.push(bearer ?? '');
        authenticate(bearer ?? '');
        return bearer ?? '';
      },
      authorize: () => undefined,
    });
    await this.#server.start();
    this.#address = this.#server.addresses[0] ?? '';
    this.config = {
      client: {
        metal_apiserver_url: `https://${this.#server.addresses[0]}`,
        metal_hammer_token: 'machine-token',
        ca_cert: pem('ca.pem'),
      },
      partition: 'lab',
      ...config,
    };
  }

  /** Takes the API away; `listen` brings it back. */
  async stopApi(): Promise<void> {
    await this.#server?.stop();
  }

  live(options: RigOptions = {}): void {
    const { clock, state, board, pulse } = this;
    this.#running = live({
      sysfs: openSysfs(this.root),
      run: (file, args, limits) => {
        this.programs.push([file, ...args].join(' '));
        if (file === 'lldpcli') return Promise.resolve(this.neighbors);
        return options.run?.(file, args, limits) ?? Promise.reject(new Error(`no ${file}`));
      },
      clock,
      entropy: mockEntropy(7),
      state,
      board,
      pulse,
      reporter: createReporter({
        clock,
        state,
        board,
        uptime: () => 12.3,
        write: (line) => {
          this.lines.push(line);
          this.onLine(line);
        },
      }),
      version: '0.1.0',
      httpGet:
        options.httpGet ??
        (() => Promise.resolve({ status: 200, body: JSON.stringify(this.config), dateMs: clock.now() })),
      postJson,
      network: options.network ?? nodeNetwork({ native: false }),
      resolveHost: () => Promise.resolve([]),
      openIpmi:
        options.openIpmi ??
        (() => {
          throw new Error('this machine has no BMC');
        }),
      connect: (config, machine) => connectApi(config, machine, clock, options.times),
      wipe: options.wipe ?? (() => Promise.reject(new Error('this machine is not to be wiped'))),
      reboot: () => {
        this.reboots += 1;
        return Promise.resolve();
      },
      signal: this.stopping.signal,
    });
    this.#running.catch((error: unknown) => (this.outcome = error));
  }

  /** Gives the machine to somebody. `events` are what the API has stored of it, newest first. */
  allocate(events: MessageInitShape<typeof apiV2.MachineProvisioningEventSchema>[] = []): void {
    const recentProvisioningEvents = { events, lastEventTime: timestampFromMs(Date.now()) };
    this.machine = () => ({ allocation: { uuid, name: 'web' }, recentProvisioningEvents });
    this.#allocations.resolve();
  }

  /** Orders a wipe; the label is gone when the machine answers. */
  orderWipe(order: string): void {
    const tag = `ingot.dev/wiped=${order}`;
    this.machine = () =>
      this.registered.some(({ tags }) => tags.includes(tag))
        ? {}
        : { meta: { labels: { labels: { 'ingot.dev/wipe': order } } } };
    this.wake();
  }

  /** Lets Wait streams look at the machine again. */
  wake(): void {
    this.#allocations.resolve();
  }

  async *#wait(signal: AbortSignal): AsyncGenerator<{ allocation?: apiV2.MachineAllocation }> {
    this.waiting += 1;
    this.streams += 1;
    try {
      for (;;) {
        const { allocation, meta } = create(apiV2.MachineSchema, this.machine());
        if (allocation !== undefined) yield { allocation };
        else if (meta?.labels?.labels['ingot.dev/wipe'] !== undefined)
          throw new ApiError(Code.FailedPrecondition, 'there is an open wipe order');
        this.#allocations = Promise.withResolvers<void>();
        const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        await Promise.race([this.#allocations.promise, gone]);
        if (signal.aborted) return;
      }
    } finally {
      this.waiting -= 1;
    }
  }

  /** Lets virtual time run while real sockets answer. */
  async until(condition: () => boolean, stepMs: number = 100): Promise<void> {
    const giveUp = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > giveUp)
        throw new Error(
          `never happened; console:\n${this.lines.slice(-40).join('\n')}\nevents:\n${this.events.slice(-20).join('\n')}`,
        );
      await this.clock.advance(stepMs);
    }
  }

  /** Until an event that begins so has come, `count` times. */
  async untilEvent(beginning: string, count: number = 1): Promise<void> {
    await this.until(() => this.events.filter((event) => event.startsWith(beginning)).length >= count);
  }

  get said(): string {
    return this.lines.join('\n');
  }

  /** Without those that only say that the machine lives. */
  get steps(): string[] {
    return this.events.filter((event) => !event.startsWith('ALIVE'));
  }

  /** Fails when an event came that the API did not expect. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort(new Error('test over'));
    await this.#running?.catch(() => undefined);
    await this.#server?.stop();
    this.#planted?.[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
    const wrong = unexpected(this.events);
    if (wrong.length > 0) throw new Error(`illegal events: ${wrong.join('; ')}`);
  }
}

/** An event as the API has stored it, so many milliseconds before now. */
export function past(
  type: keyof typeof apiV2.MachineProvisioningEventType,
  message: string,
  agoMs: number,
): MessageInitShape<typeof apiV2.MachineProvisioningEventSchema> {
  return { event: apiV2.MachineProvisioningEventType[type], message, time: timestampFromMs(Date.now() - agoMs) };
}
