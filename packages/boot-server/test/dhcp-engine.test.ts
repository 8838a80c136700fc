import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, type Outgoing, type UdpSocket } from '@ingot/net';
import { ipv4OfNumber, MessageType } from '@ingot/wire';
import type { ClientLink } from '../src/dhcp/client-link.ts';
import type { BootDecision } from '../src/decide/decision.ts';
import type { BootQuestion } from '../src/dhcp/boot-question.ts';
import { createDhcpEngine } from '../src/dhcp/engine.ts';
import type { ProbeResult } from '../src/dhcp/address-probe.ts';
import { createLeaseEngine } from '../src/dhcp/lease-engine.ts';
import { planDhcp } from '../src/dhcp/plan.ts';
import { createDhcpResponder } from '../src/dhcp/responder.ts';
import { bootMetrics } from '../src/metrics.ts';
import { openDatabase } from '../src/store/database.ts';
import { groupCommit } from '../src/store/group-commit.ts';
import { leaseStore } from '../src/store/leases.ts';
import { sightingStore } from '../src/store/sightings.ts';
import { CLIENTS, ip, MAC_1, MAC_2, message, readReply, temporaryFolder, testConfig, type Reply } from './harness.ts';

const { DISCOVER, REQUEST } = MessageType;
const SCRIPT: BootDecision = { kind: 'script', url: 'http://10.0.0.1:8080/script' };
const RELAY = { address: '10.0.1.1', port: 67 };

function macOf(index: number): string {
  return `52:54:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 0xff).toString(16).padStart(2, '0')}`;
}

/** Throws for one machine, as a bug would. */
function bug({ mac }: BootQuestion): BootDecision {
  if (mac === macOf(5)) throw new TypeError('a bug');
  return SCRIPT;
}
const BROKEN: BootDecision = {
  kind: 'script',
  get url(): string {
    throw new TypeError('a bug');
  },
};

/** An engine over a real database, whose answers a test collects. */
function engine(options: {
  decide?: (question: BootQuestion) => BootDecision | Promise<BootDecision>;
  whenUndecided?: 'lastKnown' | 'ignore';
  path?: string;
  /** Who asks the network for an address. */
  probe?: (address: string) => Promise<ProbeResult>;
}) {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const registry = createMetrics();
  const path = options.path ?? join(temporaryFolder(), 'test.sqlite');
  const database = openDatabase(path);
  const commits = groupCommit(database);
  const sightings = sightingStore(database, clock, commits);
  const plan = planDhcp(testConfig('/none'));
  const leases = createLeaseEngine({ clock, store: leaseStore(database, commits), subnets: plan.subnets });
  const { probe } = options;
  const heard: Reply[] = [];
  /** What a crash right after each sending would have left. */
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
    probe: probe && { probe: (address) => probe(ipv4OfNumber(address)), stop: () => undefined },
    onBootRequest: () => undefined,
  });
  onTestFinished(() => {
    dhcp.stop();
    database.close();
  });
  /** Broadcasts of the own link, whose clients `link` reaches one by one. */
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
  const drops = async (reason: string): Promise<number> => {
    const match = new RegExp(`reason="${reason}"\\} (\\d+)`).exec(await registry.text());
    return Number(match?.[1] ?? 0);
  };
  return {
    clock,
    log,
    dhcp,
    database,
    sightings,
    leases,
    receive,
    receiveLocally,
    discover,
    request,
    heard,
    onDisk,
    drops,
  };
}

describe('a batch of packets', () => {
  it('is answered in order, after all of its leases are on disk', () => {
    const lab = engine({});
    lab.receive(...Array.from({ length: 20 }, (_, index) => lab.request(macOf(index), `10.0.1.${100 + index}`)));
    expect(lab.heard.map(({ packet }) => packet.yiaddr)).toEqual(
      Array.from({ length: 20 }, (_, index) => `10.0.1.${100 + index}`),
    );
    expect(lab.onDisk).toEqual([20]);
  });

  it('that cannot be committed is not answered, and the next one is', async () => {
    const lab = engine({});
    lab.database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON lease WHEN NEW.mac = '52:54:00:00:00:05' BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
    );
    lab.receive(...[4, 5, 6].map((index) => lab.request(macOf(index), `10.0.1.${100 + index}`)));
    expect(lab.heard).toEqual([]);
    expect(await lab.drops('internal')).toBe(1);
    lab.receive(lab.request(macOf(4), '10.0.1.104'));
    expect(lab.onDisk).toEqual([1]);
  });

  it.each([
    ['at once', bug],
    [
      'later',
      (question: BootQuestion): Promise<BootDecision> => Promise.resolve(question.mac === macOf(5) ? BROKEN : SCRIPT),
    ],
  ])('of which one meets a bug %s is answered but for that one', async (_when, decide) => {
    const lab = engine({ decide });
    lab.receive(...[4, 5, 6].map((index) => lab.discover(macOf(index))));
    await lab.clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lab.heard.map(({ packet }) => packet.chaddr[5])).toEqual([4, 6]);
    expect(await lab.drops('internal')).toBe(1);
    expect(lab.log.records.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('that cannot be committed leaves no lease in memory either, and takes none away', async () => {
    const lab = engine({});
    lab.receive(lab.request(macOf(1), '10.0.1.101'));
    lab.receive(lab.request(macOf(2), '10.0.1.102'));
    lab.database.exec("CREATE TRIGGER full BEFORE INSERT ON lease BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
    // A new lease, and one that moves to another address.
    lab.receive(lab.request(macOf(4), '10.0.1.104'), lab.request(macOf(1), '10.0.1.105'));
    expect(await lab.drops('internal')).toBe(1);
    const addressesOf = (mac: string): unknown[] => lab.leases.leasesOf(mac).map(({ address }) => address & 0xff);
    expect([1, 2, 4].map((index) => addressesOf(macOf(index)))).toEqual([[101], [102], []]);
    lab.database.exec('DROP TRIGGER full');
    // Another one may have it at once.
    lab.receive(lab.request(macOf(5), '10.0.1.104'));
    expect(lab.heard.at(-1)?.packet.yiaddr).toBe('10.0.1.104');
    expect(addressesOf(macOf(5))).toEqual([104]);
  });

  it('writes a sighting again that a failed commit took back', () => {
    const path = join(temporaryFolder(), 'shared.sqlite');
    const lab = engine({ path });
    lab.database.exec("CREATE TRIGGER full BEFORE INSERT ON lease BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
    lab.receive(lab.discover(MAC_1), lab.request(MAC_2, '10.0.1.104'));
    lab.receive(lab.discover(MAC_1));
    const other = openDatabase(path);
    expect(sightingStore(other, lab.clock).find(MAC_1)).toBeDefined();
    other.close();
  });

  it('with rubbish in it is answered as far as it makes sense', async () => {
    const lab = engine({});
    lab.receive(new Uint8Array(3), lab.discover(MAC_1), new Uint8Array(500).fill(255), lab.discover(MAC_2));
    expect(lab.heard).toHaveLength(2);
    expect(await lab.drops('malformed')).toBe(2);
  });
});

describe('a decision that takes its time', () => {
  /** Decides when the test says so. */
  function slowly() {
    const asked: { mac: string; decide: (decision: BootDecision) => void; fail: (error: Error) => void }[] = [];
    const decide = ({ mac }: BootQuestion): Promise<BootDecision> =>
      new Promise((resolve, reject) => asked.push({ mac, decide: resolve, fail: reject }));
    return { asked, decide };
  }

  it('delays no other machine', async () => {
    const source = slowly();
    const lab = engine({ decide: (question) => (question.mac === MAC_1 ? source.decide(question) : SCRIPT) });
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_2));
    expect(lab.heard.map(({ packet }) => packet.yiaddr)).toEqual(['10.0.1.100']);
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard).toHaveLength(2);
  });

  it('is asked for once however often the machine repeats itself, and its last packet is answered', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    for (const xid of [7, 8, 9]) lab.receive(lab.discover(MAC_1, xid));
    expect(source.asked).toHaveLength(1);
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([9]);
    expect(lab.dhcp.undecided).toBe(0);
  });

  it('for the firmware is not given to the iPXE that follows it', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1, 1, CLIENTS.biosRom));
    lab.receive(lab.discover(MAC_1, 2, CLIENTS.biosIpxe));
    source.asked[0]?.decide({ kind: 'chain-tftp', path: 'x/undionly.kpxe', firmware: 'bios' });
    source.asked[1]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2]);
    expect(await lab.drops('superseded')).toBe(1);
  });

  it('many at once are answered and committed together', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(...Array.from({ length: 64 }, (_, index) => lab.discover(macOf(index))));
    for (const { decide } of source.asked) decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard).toHaveLength(64);
    expect(lab.onDisk).toHaveLength(1);
  });

  it('that does not come in time leaves the machine to ask again, with a warning', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1));
    await lab.clock.advance(1_499);
    expect(lab.dhcp.undecided).toBe(1);
    await lab.clock.advance(1);
    expect(lab.dhcp.undecided).toBe(0);
    expect(lab.heard).toEqual([]);
    expect(await lab.drops('undecided')).toBe(1);
    expect(lab.log.records.some(({ level, fields }) => level === 'warn' && fields['reason'] === 'undecided')).toBe(
      true,
    );
    expect(lab.clock.pendingTimers).toBe(0);
  });

  it('or fails is replaced by what the machine booted last', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1, 1));
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    lab.receive(lab.discover(MAC_1, 2));
    await lab.clock.advance(1_500);
    lab.receive(lab.discover(MAC_1, 3));
    source.asked[2]?.fail(new Error('away'));
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([1, 2, 3]);
  });

  it('is not replaced by the last one when the operator says ignore', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide, whenUndecided: 'ignore' });
    lab.receive(lab.discover(MAC_1, 1));
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    lab.receive(lab.discover(MAC_1, 2));
    await lab.clock.advance(1_500);
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([1]);
  });

  it('is awaited for 4,096 machines at most: the longest waiting go', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    for (let index = 0; index < 4_100; index += 1) lab.receive(lab.discover(macOf(index)));
    await lab.clock.settle();
    expect(lab.dhcp.undecided).toBe(4_096);
    expect(await lab.drops('overloaded')).toBe(4);
  });

  it('comes to nothing after a stop', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1));
    lab.dhcp.stop();
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.advance(2_000);
    expect(lab.heard).toEqual([]);
    expect(lab.clock.pendingTimers).toBe(0);
  });
});

describe('answers by broadcast', () => {
  const local = (mac: string): Uint8Array => message(DISCOVER, { mac, kind: CLIENTS.biosIpxe });

  it('are limited for each client, and for all', async () => {
    const lab = engine({});
    for (let index = 0; index < 20; index += 1) lab.receive(local(MAC_1));
    expect(lab.heard).toHaveLength(16);
    expect(await lab.drops('broadcast-limit')).toBe(4);
    await lab.clock.advance(1_000);
    lab.receive(local(MAC_1));
    expect(lab.heard).toHaveLength(17);
  });
});

describe('the log', () => {
  it('has the first answer of a boot at info, its repetitions at debug, and the next boot at info', async () => {
    const lab = engine({});
    const levels = (): string[] =>
      lab.log.records.filter(({ fields }) => fields['event'] === 'dhcp.offer').map(({ level }) => level);
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_1));
    await lab.clock.advance(30_000);
    lab.receive(lab.discover(MAC_1));
    expect(levels()).toEqual(['info', 'debug', 'info']);
  });
});

describe('sightings', () => {
  it('survive the process, and the newest counts', () => {
    const path = join(temporaryFolder(), 'sightings.sqlite');
    const clock = new MockClock();
    const database = openDatabase(path);
    const store = sightingStore(database, clock);
    store.saw(MAC_1, 'a');
    store.saw(MAC_1, 'b');
    store.saw(MAC_1, undefined);
    store.saw(MAC_2, undefined);
    database.close();
    const again = openDatabase(path);
    const reopened = sightingStore(again, clock);
    expect(reopened.find(MAC_1)).toEqual({ mac: MAC_1, uuid: 'b', seenAt: clock.now() });
    expect(reopened.find(MAC_2)).toEqual({ mac: MAC_2, uuid: undefined, seenAt: clock.now() });
    again.close();
  });

  it('of one NIC are written once in 10 s, and known to the millisecond', async () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    const rows = (): number => Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n']);
    store.saw(MAC_1, 'a');
    await clock.advance(9_999);
    store.saw(MAC_1, 'a');
    expect(rows()).toBe(1);
    expect(store.find(MAC_1)?.seenAt).toBe(clock.now());
    await clock.advance(1);
    store.saw(MAC_1, 'a');
    expect(rows()).toBe(2);
    database.close();
  });

  it('of invented NICs fill neither memory nor disk', () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    groupCommit(database).run(() => {
      for (let index = 0; index < 300_000; index += 1) store.saw(`mac ${index}`, undefined);
    });
    expect(Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n'])).toBeLessThanOrEqual(
      140_000,
    );
    expect(store.find('mac 0')).toBeUndefined();
    expect(store.find('mac 299999')).toBeDefined();
    database.close();
  });

  it('of a NIC unseen for long are kept while others come and go', async () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    store.saw(MAC_1, 'a');
    for (let round = 0; round < 40; round += 1) {
      await clock.advance(10_000);
      groupCommit(database).run(() => {
        for (let index = 0; index < 5_000; index += 1) store.saw(`mac ${index}`, undefined);
      });
    }
    expect(Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n'])).toBeLessThanOrEqual(
      140_000,
    );
    expect(store.find(MAC_1)).toBeDefined();
    const again = sightingStore(database, clock);
    expect(again.find(MAC_1)?.uuid).toBe('a');
    database.close();
  });
});

describe('an address that its client did not have lately', () => {
  /** A network that answers when the test says so. */
  function asked() {
    const questions: { address: string; answer: (result: ProbeResult) => void }[] = [];
    const probe = (address: string): Promise<ProbeResult> =>
      new Promise((resolve) => questions.push({ address, answer: resolve }));
    return { questions, probe };
  }
  const inUse =
    (...addresses: readonly string[]) =>
    (address: string): Promise<ProbeResult> =>
      Promise.resolve(addresses.includes(address) ? 'in-use' : 'free');
  const settle = async (lab: ReturnType<typeof engine>): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) await lab.clock.settle();
  };
  const offered = (lab: ReturnType<typeof engine>): string[] => lab.heard.map(({ packet }) => packet.yiaddr);

  it('is offered when the network has said that it is free, and no other machine waits for that', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1), lab.request(MAC_2, '10.0.1.150'));
    expect(offered(lab)).toEqual(['10.0.1.150']);
    questions[0]?.answer('free');
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.150', '10.0.1.100']);
  });

  it('is asked for once while the client repeats itself, and its newest DISCOVER is answered', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1, 1));
    lab.receive(lab.discover(MAC_1, 2));
    expect(questions).toHaveLength(1);
    questions[0]?.answer('free');
    await settle(lab);
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2]);
    lab.receive(lab.discover(MAC_1, 3));
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2, 3]);
    expect(questions).toHaveLength(1);
  });

  it('in use is set aside on disk, named and counted, and the next one is offered', async () => {
    const lab = engine({ probe: inUse('10.0.1.100') });
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.101']);
    expect(lab.onDisk).toEqual([1]);
    expect(await lab.drops('address-conflict')).toBe(1);
    const told = lab.log.records.filter(({ fields }) => fields['event'] === 'dhcp.conflict');
    expect(told.map(({ fields }) => fields['address'])).toEqual(['10.0.1.100']);
    lab.receive(lab.discover(MAC_2));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.101', '10.0.1.102']);
  });

  it('three in a row in use: silence, and the next DISCOVER goes on from there', async () => {
    const lab = engine({ probe: inUse('10.0.1.100', '10.0.1.101', '10.0.1.102') });
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual([]);
    expect(await lab.drops('addresses-in-use')).toBe(1);
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.103']);
  });

  it('is offered where nobody can be asked, and where asking fails', async () => {
    const lab = engine({
      probe: (address) => (address === '10.0.1.100' ? Promise.resolve('unknown') : Promise.reject(new Error('no'))),
    });
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_2));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.100', '10.0.1.101']);
  });

  it('nobody is asked for an address that the client holds', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.request(MAC_1, '10.0.1.150'));
    lab.receive(lab.discover(MAC_1));
    expect(offered(lab)).toEqual(['10.0.1.150', '10.0.1.150']);
    expect(questions).toEqual([]);
  });

  it('32 are asked for at once, and more are offered unasked', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(...Array.from({ length: 70 }, (_, index) => lab.discover(macOf(index))));
    expect(questions).toHaveLength(32);
    expect(lab.heard).toHaveLength(38);
    for (const { answer } of questions) answer('free');
    await settle(lab);
    expect(lab.heard).toHaveLength(70);
  });

  it('that the client got meanwhile is left to it', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1));
    lab.receive(lab.request(MAC_1, '10.0.1.100'));
    questions[0]?.answer('in-use');
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.100', '10.0.1.100']);
    expect(await lab.drops('address-conflict')).toBe(0);
  });

  it('is asked for again when a minute has passed', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1));
    questions[0]?.answer('free');
    await settle(lab);
    await lab.clock.advance(60_000);
    lab.receive(lab.discover(MAC_1));
    expect(questions.map(({ address }) => address)).toEqual(['10.0.1.100', '10.0.1.100']);
  });
});

describe('a client of the own link without an address', () => {
  function link(works = true) {
    const sent: string[] = [];
    const send: ClientLink['send'] = (mac, address, data) => {
      if (works) sent.push(`${mac} ${address} ${readReply(data).packet.yiaddr}`);
      return works;
    };
    return { sent, send };
  }
  const discover = (flags: number): Uint8Array => message(DISCOVER, { mac: MAC_1, kind: { ...CLIENTS.udhcpc, flags } });

  it('is answered alone, at its hardware address', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, discover(0));
    expect(own.sent).toEqual([`${MAC_1} 10.0.0.100 10.0.0.100`]);
    expect(lab.heard).toEqual([]);
  });

  it('is answered by broadcast when it asks for that', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, discover(0x8000));
    expect(own.sent).toEqual([]);
    expect(lab.heard).toHaveLength(1);
  });

  it.each([
    ['the frame does not leave', link(false)],
    ['there is no right to send frames', undefined],
  ])('is answered by broadcast when %s', (_case, own) => {
    const lab = engine({});
    lab.receiveLocally(own, discover(0));
    expect(lab.heard).toHaveLength(1);
  });

  it('with a hardware address of a group is answered by broadcast', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, message(DISCOVER, { mac: '53:54:00:00:00:01', kind: CLIENTS.udhcpc }));
    expect(own.sent).toEqual([]);
    expect(lab.heard).toHaveLength(1);
  });
});
