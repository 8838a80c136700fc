import { describe, expect, it } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, MockNetwork } from '@ingot/net';
import { bytesOfIpv4, MessageType, uint16Option } from '@ingot/wire';
import type { SubnetConfig } from '../../src/config/dhcp.ts';
import { createDhcpEngine } from '../../src/dhcp/engine.ts';
import { createLeaseEngine } from '../../src/dhcp/lease-engine.ts';
import { planDhcp } from '../../src/dhcp/plan.ts';
import { createDhcpResponder } from '../../src/dhcp/responder.ts';
import { startDhcpServer } from '../../src/dhcp/server.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { leaseStore } from '../../src/store/leases.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { addressOption, lease, relay, selecting } from '../support/dhcp-client.ts';
import { CLIENTS, ip, MAC_1, MAC_2, message, readReply, type Reply } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';

const { DISCOVER, REQUEST, ACK, NAK } = MessageType;
const os = { mac: MAC_1, kind: CLIENTS.udhcpc };
const asking = (...codes: number[]): { code: number; data: Uint8Array } => ({ code: 55, data: Uint8Array.from(codes) });
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

function lab(change: Partial<SubnetConfig>): Promise<Lab> {
  return startLab({
    config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, subnets: [subnetConfig('10.0.1', change)] } }),
  });
}

describe('options of a network', () => {
  it('are mask, routers and servers for everybody, and what only an operating system wants for those who ask', async () => {
    const via = await relay(
      await lab({
        domainName: 'rack.example',
        domainSearch: ['rack.example', 'example'],
        routes: [{ to: '10.9.0.0/16', via: '10.0.1.253' }],
        mtu: 9000,
      }),
      '10.0.1.1',
    );
    const plain = await via.ask(DISCOVER, os);
    expect([...(plain?.options.keys() ?? [])].toSorted((a, b) => a - b)).toEqual([
      1, 3, 6, 15, 28, 42, 51, 53, 54, 58, 59, 82,
    ]);
    const asked = await via.ask(DISCOVER, os, [asking(26, 119, 121)]);
    expect(hex(asked?.options.get(26))).toBe('2328');
    expect(Buffer.from(asked?.options.get(119) ?? []).toString('latin1')).toBe('\x04rack\x07example\0\x07example\0');
    // RFC 3442: whoever gets 121 ignores 3, so the default route is in both.
    expect(hex(asked?.options.get(121))).toBe('100a090a0001fd000a0001fe');
  });

  it('leave a default route of the operator alone', async () => {
    const via = await relay(await lab({ routes: [{ to: '0.0.0.0/0', via: '10.0.1.253' }] }), '10.0.1.1');
    const offer = await via.ask(DISCOVER, os, [asking(121)]);
    expect(hex(offer?.options.get(121))).toBe('000a0001fd');
  });

  it('may be any other by number, in every spelling', async () => {
    const via = await relay(
      await lab({
        options: [
          { code: 224, hex: '0a:0B 0c', always: true },
          { code: 100, text: 'CET-1', always: true },
          { code: 150, addresses: ['10.0.0.1', '10.0.0.2'], always: true },
          { code: 19, uint8: 1, always: true },
          { code: 22, uint16: 576, always: true },
          { code: 2, uint32: 4_294_963_696, always: false },
        ],
      }),
      '10.0.1.1',
    );
    const offer = await via.ask(DISCOVER, os);
    expect([224, 100, 150, 19, 22, 2].map((code) => hex(offer?.options.get(code)))).toEqual([
      '0a0b0c',
      Buffer.from('CET-1').toString('hex'),
      '0a0000010a000002',
      '01',
      '0240',
      undefined,
    ]);
    const asked = await via.ask(DISCOVER, os, [asking(2)]);
    expect(hex(asked?.options.get(2))).toBe('fffff1f0');
  });

  it.each([
    [{ code: 54, text: 'x', always: true }, /54 cannot be set here: the protocol/],
    [{ code: 67, text: 'x', always: true }, /67 cannot be set here: the boot server decides/],
    [{ code: 3, text: 'x', always: true }, /3 cannot be set here: write routers/],
    [{ code: 224, always: true }, /224 takes one of hex, .* not 0/],
    [{ code: 224, text: 'a', uint8: 1, always: true }, /not 2/],
  ])('are refused where they clash: %j', (option, words) => {
    const config = testConfig('/none');
    const subnets = [subnetConfig('10.0.1', { options: [option] })];
    expect(() => planDhcp({ ...config, dhcp: { ...config.dhcp, subnets } })).toThrow(words);
  });

  it('of a reservation take the place of its network’s', async () => {
    const via = await relay(
      await lab({
        reservations: [{ mac: MAC_1, address: '10.0.1.7', hostName: 'db1', routers: ['10.0.1.250'], mtu: 1400 }],
      }),
      '10.0.1.1',
    );
    const own = await lease(via, { mac: MAC_1, kind: { ...CLIENTS.udhcpc, options: [asking(26)] } });
    expect(own.packet.yiaddr).toBe('10.0.1.7');
    expect(own.options.get(3)).toEqual(bytesOfIpv4(ip('10.0.1.250')));
    expect(Buffer.from(own.options.get(12) ?? []).toString()).toBe('db1');
    expect(hex(own.options.get(26))).toBe('0578');
    expect(own.options.get(6)).toEqual(bytesOfIpv4(ip('10.0.0.53')));
    const other = await lease(via, { mac: MAC_2, kind: CLIENTS.udhcpc });
    expect(other.options.get(3)).toEqual(bytesOfIpv4(ip('10.0.1.254')));
    expect(other.options.has(12)).toBe(false);
  });

  it('that do not fit into what a client accepts are left out, what only systems ask for first, and are named', async () => {
    const routes = Array.from({ length: 60 }, (_, index) => ({ to: `10.9.${index}.0/24`, via: '10.0.1.2' }));
    const running = await lab({ routes, domainSearch: ['rack.example'], domainName: 'rack.example' });
    const via = await relay(running, '10.0.1.1');
    const client = { mac: MAC_1, kind: { ...CLIENTS.udhcpc, options: [asking(121, 119)] } };
    const told = (reply: Reply | undefined): boolean[] =>
      [3, 6, 15, 119, 121].map((code) => reply?.options.has(code) === true);
    const own = await lease(via, client);
    expect([own.packet.yiaddr, told(own)]).toEqual(['10.0.1.100', [true, true, true, true, false]]);
    const left = running.log.events('dhcp.options-left-out');
    expect(left.map(({ level, msg }) => [level, msg])).toContainEqual([
      'warn',
      `option 121 does not fit into what ${MAC_1} accepts and is left out: configure fewer routes, domains and options`,
    ]);
    const inform = await via.ask(MessageType.INFORM, client);
    expect(told(inform)).toEqual([true, true, true, true, false]);
    // With room for a whole frame it gets all of them.
    const roomy = { ...client, kind: { ...client.kind, options: [asking(121, 119), uint16Option(57, 1_500)] } };
    expect(told(await lease(via, roomy))).toEqual([true, true, true, true, true]);
  });

  it('that everybody gets are left out last, mask and routers never', async () => {
    const dnsServers = Array.from({ length: 125 }, (_, index) => `10.0.0.${index + 1}`);
    const running = await lab({ dnsServers, mtu: 9000 });
    const own = await lease(await relay(running, '10.0.1.1'), {
      mac: MAC_1,
      kind: { ...CLIENTS.udhcpc, options: [asking(26)] },
    });
    expect([1, 3, 6, 26].map((code) => own.options.has(code))).toEqual([true, true, false, false]);
    const many = Array.from({ length: 125 }, (_, index) => `10.0.1.${index + 1}`);
    const without = await lab({ routers: many, pool: '10.0.1.200-10.0.1.210' });
    const via = await relay(without, '10.0.1.1');
    expect(await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.udhcpc })).toBeUndefined();
    expect(await without.drops('dhcp', 'reply-too-large')).toBe(1);
  });

  it('of a reservation that another NIC still leases: one of the pool in the meantime, or silence, and why in words', async () => {
    const running = await lab({ pool: '10.0.1.100-10.0.1.101' });
    const via = await relay(running, '10.0.1.1');
    expect((await lease(via, { mac: MAC_2, kind: CLIENTS.udhcpc })).packet.yiaddr).toBe('10.0.1.100');
    const reservations = [{ mac: MAC_1, address: '10.0.1.100' }];
    const withPool = async (pool: string): Promise<void> => {
      const config = testConfig(running.dataDir);
      const subnets = [subnetConfig('10.0.1', { reservations, pool })];
      await running.server.reload({ ...config, dhcp: { ...config.dhcp, subnets } });
    };
    await withPool('10.0.1.100-10.0.1.101');
    expect((await lease(via, os)).packet.yiaddr).toBe('10.0.1.101');
    const taken = `10.0.1.100 is reserved for it, but ${MAC_2} had it before and has not given it back`;
    expect(running.log.events('dhcp.reservation-taken').map(({ msg }) => msg)).toEqual([
      `${taken}; ${MAC_1} gets 10.0.1.101 until then`,
    ]);
    await withPool('10.0.1.100-10.0.1.100');
    expect(await via.ask(DISCOVER, os)).toBeUndefined();
    expect(await running.drops('dhcp', 'reservation-taken')).toBe(1);
    expect(running.log.events('dhcp.dropped').at(-1)?.msg).toContain(taken);
  });

  it('include a warning to the operator whose pool has the address of a relay', async () => {
    const running = await lab({ pool: '10.0.1.1-10.0.1.9' });
    const offer = await (await relay(running, '10.0.1.1')).ask(DISCOVER, os);
    expect(offer?.packet.yiaddr).toBe('10.0.1.2');
    expect(running.log.events('dhcp.relay-in-pool').map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'relay 10.0.1.1 has an address of the pool of 10.0.1.0/24: leave it out there'],
    ]);
  });

  it('have the network’s own address of the server', async () => {
    const via = await relay(await lab({ advertiseAddress: '10.0.5.1' }), '10.0.1.1');
    const offer = await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.biosRom });
    expect(offer?.options.get(54)).toEqual(bytesOfIpv4(ip('10.0.5.1')));
    expect(offer?.packet.siaddr).toBe('10.0.5.1');
  });
});

it('port 4011 names the own address of the network that the client is in', async () => {
  const at = { mode: 'proxy', pool: undefined, advertiseAddress: '10.0.5.1' } as const;
  const running = await lab(at);
  await (await relay(running, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
  const client = await running.network.host('client', '10.0.1.50/24').bindUdp({ address: '10.0.1.50', port: 4011 });
  const heard: Reply[] = [];
  client.onDatagram(({ data }) => heard.push(readReply(data)));
  const asks = message(REQUEST, { mac: MAC_1, kind: CLIENTS.edk2, ciaddr: ip('10.0.1.50') });
  await client.send(asks, { address: '10.0.0.1', port: 4011 });
  await running.clock.advance(0);
  expect(heard.map(({ packet, options }) => [packet.siaddr, options.get(54)])).toEqual([
    ['10.0.5.1', bytesOfIpv4(ip('10.0.5.1'))],
  ]);
});

describe('mode reservation-only', () => {
  const only = {
    mode: 'reservation-only',
    pool: undefined,
    reservations: [{ mac: MAC_1, address: '10.0.1.7' }],
  } as const;

  it('serves NICs with a reservation, and is silent to all others whatever they send', async () => {
    const server = await lab(only);
    const via = await relay(server, '10.0.1.1');
    const own = await lease(via, { mac: MAC_1, kind: CLIENTS.biosRom });
    expect(own.packet.yiaddr).toBe('10.0.1.7');
    const stranger = { mac: MAC_2, kind: CLIENTS.biosRom };
    expect(await via.ask(DISCOVER, stranger)).toBeUndefined();
    expect(await via.ask(REQUEST, stranger, [addressOption(50, ip('10.0.1.50'))])).toBeUndefined();
    expect(await server.drops('dhcp', 'no-reservation')).toBe(2);
  });

  it('needs reservations and takes no pool', () => {
    const config = testConfig('/none');
    const plan = (change: Partial<SubnetConfig>): (() => unknown) => {
      const subnets = [subnetConfig('10.0.1', { ...only, ...change })];
      return () => planDhcp({ ...config, dhcp: { ...config.dhcp, subnets } });
    };
    expect(plan({})).not.toThrow();
    expect(plan({ reservations: [] })).toThrow(/reservation-only/);
    expect(plan({ pool: '10.0.1.100-10.0.1.110' })).toThrow(/reservation-only/);
  });
});

describe('two boot servers with half of a pool each', () => {
  it('leave each other’s clients alone: selecting, renewing and rebooting', async () => {
    const ours = await lab({ pool: '10.0.1.100-10.0.1.149' });
    const via = await relay(ours, '10.0.1.1');
    await via.ask(DISCOVER, os);
    // It took the other's offer.
    expect(
      await via.ask(REQUEST, os, [addressOption(50, ip('10.0.1.150')), addressOption(54, ip('10.0.0.2'))]),
    ).toBeUndefined();
    // INIT-REBOOT, with an address of the other's half.
    expect(await via.ask(REQUEST, os, [addressOption(50, ip('10.0.1.150'))])).toBeUndefined();
    expect(await ours.drops('dhcp', 'unknown-lease')).toBe(1);
    // An address of another network is wrong whoever gave it.
    const nak = await via.ask(REQUEST, os, [addressOption(50, ip('10.0.9.9'))]);
    expect(nak?.options.get(53)).toEqual(Uint8Array.of(NAK));
  });

  it('with one killed after its offer, the machine boots from the other', async () => {
    const ours = await lab({ pool: '10.0.1.100-10.0.1.149' });
    const via = await relay(ours, '10.0.1.1');
    const dead = [addressOption(50, ip('10.0.1.150')), addressOption(54, ip('10.0.0.2'))];
    expect(await via.ask(REQUEST, os, dead)).toBeUndefined();
    // RFC 2131 §3.1: after some REQUESTs in vain the client starts over.
    const offer = await via.ask(DISCOVER, os);
    const ack = await via.ask(REQUEST, os, offer === undefined ? [] : selecting(offer));
    expect(ack?.options.get(53)).toEqual(Uint8Array.of(ACK));
  });

  it('give a NIC with a reservation the same address at both', async () => {
    const reservations = [{ mac: MAC_1, address: '10.0.1.7' }];
    const offers = [];
    for (const pool of ['10.0.1.100-10.0.1.149', '10.0.1.150-10.0.1.199'])
      offers.push(await (await relay(await lab({ pool, reservations }), '10.0.1.1')).ask(DISCOVER, os));
    expect(offers.map((offer) => offer?.packet.yiaddr)).toEqual(['10.0.1.7', '10.0.1.7']);
  });

  it('a proxy says the same to the same packet, whoever asks when', async () => {
    const answers = [];
    for (const pause of [0, 60_000]) {
      const server = await lab({ mode: 'proxy', pool: undefined });
      await server.clock.advance(pause);
      const via = await relay(server, '10.0.1.1');
      answers.push((await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 }))?.bytes);
    }
    expect(answers[0]).toEqual(answers[1]);
  });
});

describe('interfaces', () => {
  it('are heard each for itself, and answered on the link that the question came from', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const host = network.host('server', '10.0.1.1/24', '10.0.2.1/24', '10.0.3.1/24');
    const config = testConfig('/none');
    const plan = planDhcp({
      ...config,
      dhcp: {
        ...config.dhcp,
        listen: [],
        interfaces: ['10.0.1.0/24', '10.0.2.0/24'],
        subnets: [subnetConfig('10.0.1'), subnetConfig('10.0.2'), subnetConfig('10.0.3')],
      },
    });
    const database = openDatabase(':memory:');
    const commits = groupCommit(database);
    const leases = createLeaseEngine({ clock, store: leaseStore(database, commits), subnets: plan.subnets });
    const sightings = sightingStore(database, clock, { commits });
    const log = new MemoryLogger();
    const engine = createDhcpEngine({
      clock,
      log,
      metrics: bootMetrics(createMetrics()),
      respond: createDhcpResponder({ ...plan, leases, sightings }),
      decide: () => ({ kind: 'ignore', reason: 'not-booting' }),
      whenUndecided: 'ignore',
      commits,
      sightings,
      onBootRequest: () => undefined,
    });
    const server = await startDhcpServer(
      {
        network: host,
        log,
        engine,
        clock,
        metrics: bootMetrics(createMetrics()),
        neighbours: [],
        isServed: () => true,
      },
      plan.listen,
    );
    const offered: string[] = [];
    for (const [index, link] of ['10.0.1', '10.0.2', '10.0.3'].entries()) {
      const client = network.host(`m${index}`, `${link}.77/24`);
      const socket = await client.bindUdp({ address: '0.0.0.0', port: 68, broadcast: true });
      socket.onDatagram(({ data }) => offered.push(`${link}: ${readReply(data).packet.yiaddr}`));
      const discover = message(DISCOVER, { mac: `52:54:00:00:01:0${index}`, kind: CLIENTS.udhcpc });
      await socket.send(discover, { address: '255.255.255.255', port: 67 });
      await clock.advance(0);
    }
    expect(offered).toEqual(['10.0.1: 10.0.1.100', '10.0.2: 10.0.2.100']);
    await server.stop();
    database.close();
  });

  it('or addresses must be named', () => {
    const config = testConfig('/none');
    expect(() => planDhcp({ ...config, dhcp: { ...config.dhcp, listen: [] } })).toThrow(
      /name addresses in listen, or interfaces/,
    );
  });
});
