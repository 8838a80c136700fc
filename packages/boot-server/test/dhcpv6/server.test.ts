import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, type Datagram, type Network, type UdpSocket } from '@ingot/net';
import { Dhcp6MessageType as Type, Dhcp6OptionCode, type Dhcp6Option } from '@ingot/wire';
import type { Dhcp6Config } from '../../src/config/dhcp6.ts';
import type { BootDecider } from '../../src/decide/boot-decider.ts';
import type { BootDecision } from '../../src/decide/decision.ts';
import { createLease6Engine } from '../../src/dhcpv6/lease-engine.ts';
import { planDhcp6 } from '../../src/dhcpv6/plan.ts';
import { createDhcp6Responder } from '../../src/dhcpv6/responder.ts';
import { startDhcp6Server } from '../../src/dhcpv6/server.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { lease6Store } from '../../src/store/leases6.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { serverDuid } from '../../src/store/server-duid.ts';
import {
  clientId,
  dhcp6Config,
  duidOf,
  EDK2_PXE,
  iaNa,
  message6,
  readReply6,
  subnet6Config,
  type Reply6,
} from '../support/dhcp6-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RAPID: Dhcp6Option = { code: Dhcp6OptionCode.RAPID_COMMIT, data: new Uint8Array() };
const SCRIPT: BootDecision = { kind: 'script', url: 'http://10.0.0.1:8080/script' };
const macOf = (index: number): string => `52:54:00:00:06:${index.toString(16).padStart(2, '0')}`;

/** The server over a real database and one socket that a test speaks through. */
async function server(decide: BootDecider = () => SCRIPT, change: Partial<Dhcp6Config> = {}) {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const registry = createMetrics();
  const path = join(temporaryFolder(), 'test.sqlite');
  const database = openDatabase(path);
  const commits = groupCommit(database);
  const sightings = sightingStore(database, clock, { commits, log });
  const plan = planDhcp6(dhcp6Config(change), []);
  const leases = createLease6Engine({ clock, store: lease6Store(database, commits), subnets: plan.subnets });
  const heard: Reply6[] = [];
  /** What a crash right after each sending would have left. */
  const onDisk: number[] = [];
  const handlers = new Map<string, (datagrams: readonly Datagram[]) => void>();
  const network: Network = {
    interfaceAddresses: () => [],
    bindUdp: ({ address, port }): Promise<UdpSocket> =>
      Promise.resolve({
        address: { address, port },
        onDatagram: () => undefined,
        onBatch: (handler) => void handlers.set(address, handler),
        onError: () => undefined,
        send: (data) => {
          const other = openDatabase(path);
          onDisk.push(Number(other.prepare('SELECT count(*) AS n FROM lease6').get()?.['n']));
          other.close();
          heard.push(readReply6(data));
          return Promise.resolve();
        },
        sendBatch: () => undefined,
        close: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
  const dhcp6 = await startDhcp6Server(
    {
      network,
      clock,
      log,
      metrics: bootMetrics(registry),
      commits,
      sightings,
      respond: createDhcp6Responder({
        plan,
        serverDuid: serverDuid(database, () => new Uint8Array(16)),
        leases,
        sightings,
        mayAnswer: () => true,
        advertised: new Map(),
      }),
      decide,
      onBootRequest: () => undefined,
    },
    plan,
  );
  onTestFinished(async () => {
    await dhcp6.stop();
    database.close();
  });
  const receive = (...packets: readonly Uint8Array[]): void => {
    const source = { address: 'fe80::5054:ff:fe00:101%rack', port: 546 };
    handlers.get('ff02::1:2%rack')?.(packets.map((data) => ({ data, source })));
  };
  const solicit = (index: number): Uint8Array =>
    message6(Type.SOLICIT, [clientId(duidOf(macOf(index))), iaNa(1), RAPID, ...EDK2_PXE]);
  return { clock, log, database, commits, sightings, leases, heard, onDisk, receive, solicit, dhcp6, registry };
}

const many = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
/** What is decided now is answered in the next turn of the event loop. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('DHCPv6 packets that come together', () => {
  it('are answered in order, after all of their leases are on disk', async () => {
    const lab = await server();
    lab.receive(...many(20).map(lab.solicit));
    expect(lab.heard.map(({ type }) => type)).toEqual(many(20).map(() => Type.REPLY));
    expect(new Set(lab.heard.flatMap(({ addresses }) => addresses)).size).toBe(20);
    expect(new Set(lab.onDisk)).toEqual(new Set([20]));
  });

  it('are answered together when their decisions come together', async () => {
    const lab = await server(() => Promise.resolve(SCRIPT));
    lab.receive(...many(20).map(lab.solicit));
    expect(lab.heard).toEqual([]);
    await turns();
    expect(lab.heard).toHaveLength(20);
    expect(new Set(lab.onDisk)).toEqual(new Set([20]));
  });

  it('and cannot be committed are not answered, leave no lease in memory, and take none away', async () => {
    const lab = await server();
    lab.receive(lab.solicit(1));
    const [kept] = lab.heard.flatMap(({ addresses }) => addresses);
    lab.database.exec(
      `CREATE TRIGGER full BEFORE INSERT ON lease6 WHEN NEW.mac = '${macOf(5)}' BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END`,
    );
    lab.receive(...[1, 4, 5, 6].map(lab.solicit));
    expect(lab.heard).toHaveLength(1);
    expect(lab.leases.leasesOf(macOf(4))).toEqual([]);
    expect(lab.leases.leasesOf(macOf(1)).map(({ address }) => address)).toEqual([kept]);
    expect(await lab.registry.text()).toContain('drops_total{service="dhcp6",reason="internal"} 1');
    lab.receive(lab.solicit(4));
    expect(lab.heard).toHaveLength(2);
  });

  it('and of which one meets a bug are answered but for that one', async () => {
    const lab = await server(({ mac }) => {
      if (mac === macOf(5)) throw new TypeError('a bug');
      return SCRIPT;
    });
    lab.receive(...[4, 5, 6].map(lab.solicit));
    expect(lab.heard).toHaveLength(2);
    expect(lab.leases.leasesOf(macOf(6))).toHaveLength(1);
    expect(await lab.registry.text()).toContain('drops_total{service="dhcp6",reason="internal"} 1');
    // The store is sound: nobody need look for room on the disk.
    expect(lab.log.events('store.failed')).toEqual([]);
    expect(lab.log.events('dhcp6.dropped')).toEqual([
      expect.objectContaining({ level: 'error', msg: expect.stringContaining('this is a bug') }),
    ]);
  });

  it('and lease nothing are answered while nothing can be written', async () => {
    const beside = subnet6Config({ interface: 'rack', mode: 'boot-only', pool: undefined });
    const lab = await server(undefined, { subnets: [beside] });
    lab.database.exec('PRAGMA query_only = ON');
    lab.receive(...[1, 2].map(lab.solicit));
    expect(lab.heard.map(({ type }) => type)).toEqual([Type.ADVERTISE, Type.ADVERTISE]);
    expect(lab.sightings.find(macOf(2))?.seenAt).toBe(lab.clock.now());
    expect(lab.log.events('store.failed')).toHaveLength(1);
    expect(lab.commits.failure?.message).toContain('readonly');
  });

  it('and are decided after a stop come to nothing', async () => {
    const lab = await server(() => Promise.resolve(SCRIPT));
    lab.receive(lab.solicit(1));
    await Promise.resolve();
    await lab.dhcp6.stop();
    await turns();
    expect(lab.heard).toEqual([]);
    expect(lab.log.records.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
