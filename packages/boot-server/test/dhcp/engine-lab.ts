import type { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, type Outgoing, type UdpSocket } from '@ingot/net';
import { ipv4OfNumber, MessageType } from '@ingot/wire';
import type { ClientLink } from '../../src/dhcp/client-link.ts';
import type { BootServerConfig } from '../../src/config.ts';
import type { BootDecision } from '../../src/decide/decision.ts';
import type { BootQuestion } from '../../src/dhcp/boot-question.ts';
import { createDhcpEngine, type DhcpEngine } from '../../src/dhcp/engine.ts';
import type { ProbeResult } from '../../src/dhcp/address-probe.ts';
import { createLeaseEngine, type LeaseEngine } from '../../src/dhcp/lease-engine.ts';
import { planDhcp } from '../../src/dhcp/plan.ts';
import { createDhcpResponder } from '../../src/dhcp/responder.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit, type GroupCommit } from '../../src/store/group-commit.ts';
import { leaseStore } from '../../src/store/leases.ts';
import { sightingStore, type SightingStore } from '../../src/store/sightings.ts';
import { testConfig } from '../support/config.ts';
import { CLIENTS, ip, message, readReply, type ClientKind, type Reply } from '../support/dhcp-messages.ts';
import { dropsOf } from '../support/drops.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { DISCOVER, REQUEST } = MessageType;
export const SCRIPT: BootDecision = { kind: 'script', url: 'http://10.0.0.1:8080/script' };
const RELAY = { address: '10.0.1.1', port: 67 };

export function macOf(index: number): string {
  return `52:54:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 0xff).toString(16).padStart(2, '0')}`;
}

export interface EngineLab {
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  readonly dhcp: DhcpEngine;
  readonly database: DatabaseSync;
  readonly commits: GroupCommit;
  readonly sightings: SightingStore;
  readonly leases: LeaseEngine;
  /** Packets that a relay passes on, all at once. */
  readonly receive: (...packets: readonly Uint8Array[]) => void;
  /** Broadcasts of the own link, whose clients `link` reaches one by one. */
  readonly receiveLocally: (link: ClientLink | undefined, ...packets: readonly Uint8Array[]) => void;
  /** One packet from a program of the server's own host, or from who says so. */
  readonly receiveFromHost: (data: Uint8Array, address: string) => void;
  readonly discover: (mac: string, xid?: number, kind?: ClientKind) => Uint8Array;
  readonly request: (mac: string, address: string) => Uint8Array;
  readonly heard: Reply[];
  /** Leases that a crash right after each sending would have left. */
  readonly onDisk: number[];
  readonly drops: (reason: string) => Promise<number>;
}

/** An engine over a real database, whose answers a test collects. */
export function engine(options: {
  decide?: (question: BootQuestion) => BootDecision | Promise<BootDecision>;
  whenUndecided?: 'lastKnown' | 'ignore';
  path?: string;
  config?: Partial<BootServerConfig>;
  /** Who asks the network for an address. */
  probe?: (address: string) => Promise<ProbeResult>;
}): EngineLab {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const registry = createMetrics();
  const path = options.path ?? join(temporaryFolder(), 'test.sqlite');
  const database = openDatabase(path);
  const commits = groupCommit(database);
  const sightings = sightingStore(database, clock, { commits, log });
  const plan = planDhcp(testConfig('/none', options.config));
  const leases = createLeaseEngine({ clock, store: leaseStore(database, commits), subnets: plan.subnets });
  const { probe } = options;
  const heard: Reply[] = [];
  const onDisk: number[] = [];
  const socket: UdpSocket = {
    address: { address: '10.0.0.1', port: 67 },
    onDatagram: () => undefined,
    onBatch: () => undefined,
    onError: () => undefined,
    send: () => Promise.resolve(),
    sendBatch: (sent: readonly Outgoing[]) => {
      const other = openDatabase(path);
      onDisk.push(Number(other.prepare('SELECT count(*) AS n FROM lease').get()?.['n']));
      other.close();
      heard.push(...sent.map(({ data }) => readReply(data)));
    },
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const dhcp = createDhcpEngine({
    clock,
    log,
    metrics: bootMetrics(registry),
    respond: createDhcpResponder({ ...plan, leases, sightings }),
    decide: options.decide ?? (() => SCRIPT),
    whenUndecided: options.whenUndecided ?? 'lastKnown',
    commits,
    sightings,
    probe: probe && { probe: (address) => probe(ipv4OfNumber(address)), stop: () => undefined },
    onBootRequest: () => undefined,
  });
  onTestFinished(() => {
    dhcp.stop();
    database.close();
  });
  const receiveFromHost = (data: Uint8Array, address: string): void =>
    dhcp.receive([{ data, source: { address, port: 40_000 } }], ip('127.0.0.1'), socket);
  const receiveLocally = (link: ClientLink | undefined, ...packets: readonly Uint8Array[]): void =>
    dhcp.receive(
      packets.map((data) => ({ data, source: { address: '0.0.0.0', port: 68 } })),
      ip('10.0.0.1'),
      socket,
      link,
    );
  const receive = (...packets: readonly Uint8Array[]): void =>
    dhcp.receive(
      packets.map((data) => ({ data, source: RELAY })),
      ip('10.0.0.1'),
      socket,
    );
  const discover = (mac: string, xid = 1, kind = CLIENTS.biosIpxe): Uint8Array =>
    message(DISCOVER, { mac, kind, xid, giaddr: ip('10.0.1.1') });
  const request = (mac: string, address: string): Uint8Array =>
    message(REQUEST, { mac, kind: CLIENTS.udhcpc, giaddr: ip('10.0.1.1') }, [
      { code: 50, data: Uint8Array.from(address.split('.').map(Number)) },
      { code: 54, data: Uint8Array.of(10, 0, 0, 1) },
    ]);
  const drops = (reason: string): Promise<number> => dropsOf(registry, 'dhcp', reason);
  return {
    clock,
    log,
    dhcp,
    database,
    commits,
    sightings,
    leases,
    receive,
    receiveLocally,
    receiveFromHost,
    discover,
    request,
    heard,
    onDisk,
    drops,
  };
}
