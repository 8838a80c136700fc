import { createHealth, createMetrics, type Health, MemoryLogger, type Metrics } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { startSwitchAgent, type SwitchAgent } from '../src/agent.ts';
import type { SwitchAgentOptions } from '../src/agent-options.ts';
import type { Beat, DesiredSwitch, Ping, Registration, SwitchApi } from '../src/api.ts';
import type { LinkState } from '../src/link-state.ts';
import type { HomeCall } from '../src/phone-home/calls-home.ts';
import { createProblems } from '../src/problems.ts';
import type { SonicDb } from '../src/sonic-db.ts';

/** CONFIG_DB and APPL_DB in memory, for tests with virtual time. */
export class MemoryDb implements SonicDb {
  readonly tables: Map<string, Map<string, Record<string, string>>> = new Map();
  /** Thrown instead of an answer. */
  failure: Error | undefined;
  questions = 0;

  set(table: string, key: string, row: Record<string, string>): this {
    const rows = this.tables.get(table) ?? new Map<string, Record<string, string>>();
    this.tables.set(table, rows.set(key, row));
    return this;
  }

  async exists(table: string, key: string): Promise<boolean> {
    this.#ask();
    return this.tables.get(table)?.has(key) ?? false;
  }

  async rows(table: string): Promise<ReadonlyMap<string, Record<string, string>>> {
    this.#ask();
    return new Map(this.tables.get(table));
  }

  close(): void {}

  #ask(): void {
    this.questions += 1;
    if (this.failure !== undefined) throw this.failure;
  }
}

type Call = 'register' | 'get' | 'heartbeat' | 'ping' | 'phonedHome' | 'refreshToken';

/** The API as far as the agent sees it: keeps what it is told, and can be made to refuse. */
export class MemoryApi implements SwitchApi {
  readonly registrations: Registration[] = [];
  readonly beats: Beat[] = [];
  readonly pings: Ping[] = [];
  readonly homeCalls: Array<readonly HomeCall[]> = [];
  refreshed = 0;
  /** What a renewed token is. */
  nextToken: () => string = () => '';
  /** By call; thrown instead of an answer. */
  readonly failures: Map<Call, Error> = new Map();
  desired: DesiredSwitch | undefined;

  async register(registration: Registration): Promise<DesiredSwitch> {
    this.#maybeFail('register');
    this.registrations.push(registration);
    this.desired = { nics: registration.ports.map(({ nicName }) => ({ name: nicName })) };
    return this.desired;
  }

  async get(): Promise<DesiredSwitch> {
    this.#maybeFail('get');
    return this.desired ?? { nics: [] };
  }

  async heartbeat(beat: Beat): Promise<void> {
    this.#maybeFail('heartbeat');
    this.beats.push(beat);
  }

  async ping(ping: Ping): Promise<void> {
    this.#maybeFail('ping');
    this.pings.push(ping);
  }

  async phonedHome(calls: readonly HomeCall[]): Promise<readonly string[]> {
    this.#maybeFail('phonedHome');
    this.homeCalls.push(calls);
    return [];
  }

  async refreshToken(): Promise<string> {
    this.#maybeFail('refreshToken');
    this.refreshed += 1;
    return this.nextToken();
  }

  close(): void {}

  #maybeFail(call: Call): void {
    const failure = this.failures.get(call);
    if (failure !== undefined) throw failure;
  }
}

/** The link states of ports by name; a port that is not in it has no netdev. */
export type Links = Map<string, LinkState>;

export interface UnitKit {
  readonly agent: SwitchAgent;
  readonly clock: MockClock;
  readonly api: MemoryApi;
  readonly configDb: MemoryDb;
  readonly appDb: MemoryDb;
  readonly log: MemoryLogger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly links: Links;
}

/** An agent with two ports on virtual time, one second between heartbeats. */
export function startUnitAgent(
  change: (kit: Omit<UnitKit, 'agent'>) => Partial<SwitchAgentOptions> | void = () => {},
): UnitKit {
  const clock = new MockClock();
  const kit = {
    clock,
    api: new MemoryApi(),
    configDb: new MemoryDb()
      .set('PORT', 'Ethernet0', { alias: 'Eth1/1' })
      .set('PORT', 'Ethernet4', { alias: 'Eth1/2' }),
    appDb: new MemoryDb().set('PORT_TABLE', 'PortInitDone', { lanes: '0' }),
    log: new MemoryLogger(),
    metrics: createMetrics(),
    health: createHealth({ clock }),
    links: new Map<string, LinkState>(),
  };
  const changes = change(kit);
  const agent = startSwitchAgent({
    identity: {
      id: 'leaf01',
      partition: 'lab',
      rack: 'rack-1',
      managementIp: '10.0.0.11',
      managementUser: 'admin',
      osVersion: '202411.1',
      agentVersion: 'ingot test',
    },
    namingSchema: 'default',
    linkState: (port) => Promise.resolve(kit.links.get(port) ?? 'unknown'),
    periodMs: 1000,
    entropy: mockEntropy(7),
    status: () => {},
    problems: createProblems(kit.log),
    ...kit,
    ...changes,
  });
  return { agent, ...kit };
}
