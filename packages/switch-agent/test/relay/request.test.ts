import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOfLatin1, ipv4Option, MessageType, OptionCode, type DhcpOption } from '@ingot/wire';
import { createBench, dhcp, ip, linkSettings, MAC, OTHER_MAC, read, type RelayBench, type Said } from './kit.ts';

const { ACK, DECLINE, DISCOVER, INFORM, OFFER, RELEASE, REQUEST } = MessageType;

let bench: RelayBench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

/** What the first server has been sent. */
async function received(server: 0 | 1 = 0): Promise<Said[]> {
  await bench.settle();
  return bench.servers[server].received.map(({ data }) => read(data));
}

/** Why nothing was sent to the servers: the metric's labels. */
async function refusal(): Promise<readonly string[]> {
  expect(await received()).toEqual([]);
  return Object.keys(await bench.metric('ingot_switch_relay_refused_total'));
}

const agent = (...pieces: readonly string[]): DhcpOption[] =>
  pieces.map((text) => ({ code: 82, data: Uint8Array.of(1, text.length, ...bytesOfLatin1(text)) }));

describe('a request of a client', () => {
  test('reaches every server with giaddr, one hop more, and option 82 last', async () => {
    await bench.apply(linkSettings({ servers: [ip('10.0.0.1'), ip('10.0.0.2')] }));
    bench.link().request(dhcp(DISCOVER, { options: [{ code: 60, data: bytesOfLatin1('PXEClient') }] }));
    for (const server of [0, 1] as const) {
      const [said] = await received(server);
      expect(said).toMatchObject({
        type: DISCOVER,
        circuitId: 'leaf1:Eth1/1',
        remoteId: '02:00:00:00:00:0a',
        packet: { hops: 1, giaddr: '10.0.1.1', xid: 0x0102_0304 },
        codes: [53, 60, 82],
      });
    }
    expect(bench.servers[0].received[0]?.source).toEqual({ address: '10.0.1.1', port: 67 });
  });

  test('is named by the port that its frame came in by, whatever it says of itself', async () => {
    await bench.apply(linkSettings());
    bench.link().request(dhcp(DISCOVER, { chaddr: MAC }), { mac: OTHER_MAC });
    expect((await received())[0]).toMatchObject({ circuitId: 'leaf1:Eth1/2' });
  });

  test('is named by its link where the port is not known, and by the port where that has no alias', async () => {
    bench.ports.set(1, 'PortChannel1');
    bench.ports.delete(2);
    await bench.apply(linkSettings());
    bench.link().request(dhcp(DISCOVER));
    bench.link().request(dhcp(DISCOVER), { mac: OTHER_MAC });
    expect((await received()).map(({ circuitId }) => circuitId)).toEqual(['leaf1:PortChannel1', 'leaf1:Vlan4000']);
  });

  test.each([
    ['REQUEST without a server, as in INIT-REBOOT and REBINDING', dhcp(REQUEST, { ciaddr: ip('10.0.1.100') })],
    ['RELEASE', dhcp(RELEASE, { ciaddr: ip('10.0.1.100'), options: [ipv4Option(54, ip('10.0.0.1'))] })],
    ['DECLINE', dhcp(DECLINE)],
    ['INFORM', dhcp(INFORM, { ciaddr: ip('10.0.1.100') })],
    ['BOOTP request', dhcp(undefined)],
  ])('is passed on when it is a %s', async (_name, data) => {
    await bench.apply(linkSettings({ servers: [ip('10.0.0.1'), ip('10.0.0.2')] }));
    bench.link().request(data);
    for (const server of [0, 1] as const) expect((await received(server))[0]?.packet.hops).toBe(1);
  });

  test('to us alone is passed on, one to a server that we only route is not ours', async () => {
    await bench.apply(linkSettings());
    const data = dhcp(REQUEST, { ciaddr: ip('10.0.1.100') });
    const source = { address: '10.0.1.100', port: 68 };
    bench.link().request(data, { source, target: { address: '10.0.0.1', port: 67 } });
    expect(await received()).toEqual([]);
    bench.link().request(data, { source, target: { address: '10.0.1.1', port: 67 } });
    bench.link().request(data, { source, target: { address: '10.0.1.255', port: 67 } });
    expect(await received()).toHaveLength(2);
    expect(await bench.metric('ingot_switch_relay_refused_total')).toEqual({});
  });

  test('keeps its bytes: order, padding in the middle, a repeated option and a missing END', async () => {
    await bench.apply(linkSettings());
    const plain = dhcp(DISCOVER);
    const options = [0, 0, 53, 1, 1, 12, 2, 0x61, 0x62, 0, 12, 1, 0x63, 61, 0];
    const odd = Uint8Array.from([...plain.subarray(0, 240), ...options]);
    bench.link().request(odd);
    const [sent] = await received();
    expect(sent?.codes).toEqual([0, 0, 53, 12, 0, 12, 61, 82]);
    expect(bench.servers[0].received[0]?.data.subarray(240, 255)).toEqual(odd.subarray(240));
  });
});

describe('a request is dropped', () => {
  test.each([
    ['too-many-hops', dhcp(DISCOVER, { hops: 4 })],
    ['our-giaddr', dhcp(DISCOVER, { giaddr: ip('10.0.1.1') })],
    ['our-giaddr', dhcp(DISCOVER, { giaddr: ip('10.255.0.1') })],
    ['relayed', dhcp(DISCOVER, { giaddr: ip('192.0.2.1') })],
    ['agent-option', dhcp(DISCOVER, { options: agent('forged') })],
    ['not-a-request', dhcp(OFFER, { op: 2 })],
    ['not-a-clients-message', dhcp(OFFER)],
    ['not-a-clients-message', dhcp(ACK)],
    ['malformed', dhcp(DISCOVER).subarray(0, 239)],
  ])('as %s, and the log says whose', async (reason, data) => {
    await bench.apply(linkSettings());
    bench.link().request(data);
    expect(await refusal()).toEqual([`Vlan4000,${reason}`]);
    expect(bench.log.events('relay.refused')).toMatchObject([
      { level: 'warn', fields: { link: 'Vlan4000', reason, mac: '52:54:00:00:01:01', port: 'Ethernet0' } },
    ]);
  });

  test('in silence when it is the answer of a server on the link itself, which comes by the servers’ socket too', async () => {
    await bench.apply(linkSettings({ servers: [ip('10.0.1.2')] }));
    bench.link().request(dhcp(OFFER, { op: 2 }), { source: { address: ip('10.0.1.2'), port: 67 } });
    expect(await refusal()).toEqual([]);
    bench.link().request(dhcp(OFFER, { op: 2 }), { source: { address: ip('10.0.1.3'), port: 67 } });
    expect(await refusal()).toEqual(['Vlan4000,not-a-request']);
    // A client with the address of a server is one all the same.
    bench.link().request(dhcp(DISCOVER, { hops: 9 }), { source: { address: ip('10.0.1.2'), port: 67 } });
    expect(await refusal()).toContain('Vlan4000,too-many-hops');
  });

  test('as a fragment, which is counted', async () => {
    await bench.apply(linkSettings());
    bench.link().broken(MAC);
    expect(await refusal()).toEqual(['Vlan4000,fragment']);
  });

  test('as hidden-agent-option when its option 82 is in an overloaded field', async () => {
    await bench.apply(linkSettings({ agentRelayMode: 'replace' }));
    const data = dhcp(DISCOVER, { options: [{ code: OptionCode.HOST_NAME, data: bytesOfLatin1('x') }] });
    const hidden = Uint8Array.from([...data.subarray(0, 243), 52, 1, 1, 255]);
    hidden.set([82, 3, 1, 1, 0x78, 255], 108);
    bench.link().request(hidden);
    expect(await refusal()).toEqual(['Vlan4000,hidden-agent-option']);
  });

  test('with one line in ten seconds, which says how many there were', async () => {
    await bench.apply(linkSettings());
    for (let count = 0; count < 1_000; count += 1) bench.link().request(dhcp(DISCOVER, { hops: 9 }));
    expect(bench.log.events('relay.refused')).toHaveLength(1);
    await bench.clock.advance(10_000);
    bench.link().request(dhcp(DISCOVER, { hops: 9 }));
    expect(bench.log.events('relay.refused')[1]?.fields).toMatchObject({ unsaid: 999 });
    expect(await bench.metric('ingot_switch_relay_refused_total')).toEqual({ 'Vlan4000,too-many-hops': 1_001 });
  });
});

describe('a request of another relay behind the link', () => {
  const data = dhcp(DISCOVER, { giaddr: ip('192.0.2.1'), hops: 1, options: agent('theirs') });

  test('is passed on with one hop more and nothing else, where such relays are trusted', async () => {
    await bench.apply(linkSettings({ downstreamRelays: true, agentRelayMode: 'append' }));
    bench.link().request(data);
    expect((await received())[0]).toMatchObject({
      circuitId: 'theirs',
      subOptions: [1],
      packet: { hops: 2, giaddr: '192.0.2.1' },
    });
  });

  test('is dropped with its option 82 in mode discard all the same', async () => {
    await bench.apply(linkSettings({ downstreamRelays: true }));
    bench.link().request(data);
    expect(await refusal()).toEqual(['Vlan4000,agent-option']);
  });
});

describe('a request that carries option 82 already', () => {
  const data = dhcp(DISCOVER, { options: agent('theirs') });

  test('gets ours behind it in mode append', async () => {
    await bench.apply(linkSettings({ agentRelayMode: 'append' }));
    bench.link().request(data);
    expect((await received())[0]).toMatchObject({ circuitId: 'theirs', subOptions: [1, 1, 2] });
  });

  test('gets ours in its place in mode replace', async () => {
    await bench.apply(linkSettings({ agentRelayMode: 'replace' }));
    bench.link().request(data);
    expect((await received())[0]).toMatchObject({ circuitId: 'leaf1:Eth1/1', subOptions: [1, 2] });
  });

  test('keeps it alone in mode forward', async () => {
    await bench.apply(linkSettings({ agentRelayMode: 'forward' }));
    bench.link().request(data);
    expect((await received())[0]).toMatchObject({ circuitId: 'theirs', subOptions: [1], packet: { hops: 1 } });
  });
});

describe('a request that leaves no room for option 82', () => {
  const long = (size: number): Uint8Array =>
    dhcp(DISCOVER, { options: Array.from({ length: 8 }, () => ({ code: 43, data: new Uint8Array(size) })) });

  test('goes without it, and is counted', async () => {
    await bench.apply(linkSettings());
    bench.link().request(long(147));
    bench.link().request(long(148));
    const [fits, bare] = await received();
    expect(fits).toMatchObject({ circuitId: 'leaf1:Eth1/1' });
    expect(bare).toMatchObject({ circuitId: undefined, packet: { giaddr: '10.0.1.1', hops: 1 } });
    expect(await bench.metric('ingot_switch_relay_without_option82_total')).toEqual({ Vlan4000: 1 });
  });

  test('is dropped where the server could not tell its link without', async () => {
    await bench.apply(linkSettings({ sourceInterface: 'Loopback0', linkSelection: true }));
    bench.link().request(long(148));
    expect(await refusal()).toEqual(['Vlan4000,no-room']);
  });
});

describe('with a source interface', () => {
  test('requests leave from its address, and giaddr stays that of the link', async () => {
    await bench.apply(linkSettings({ sourceInterface: 'Loopback0' }));
    bench.link().request(dhcp(DISCOVER));
    expect((await received())[0]?.packet.giaddr).toBe('10.0.1.1');
    expect(bench.servers[0].received[0]?.source.address).toBe('10.255.0.1');
  });

  test('and link selection, giaddr is its address and option 82 says the link', async () => {
    await bench.apply(linkSettings({ sourceInterface: 'Loopback0', linkSelection: true }));
    bench.link().request(dhcp(DISCOVER));
    expect((await received())[0]).toMatchObject({
      linkSelection: '10.0.1.1',
      subOptions: [1, 2, 5],
      packet: { giaddr: '10.255.0.1' },
    });
  });
});

test('option 82 tells the server identifier to give, whether the request was for us alone, and the VRF', async () => {
  bench.interfaces.set('Vlan4000', { ...bench.interfaces.get('Vlan4000')!, vrf: 'Vrf42' });
  await bench.apply(
    linkSettings({
      serverIdOverride: true,
      vrfSelection: true,
      linkSelection: true,
      sourceInterface: 'Loopback0',
      serverVrf: 'default',
    }),
  );
  const link = bench.link();
  link.request(dhcp(DISCOVER));
  link.request(dhcp(REQUEST, { ciaddr: ip('10.0.1.100') }), { target: { address: '10.0.1.1', port: 67 } });
  const [broadcast, unicast] = await received();
  expect(broadcast).toMatchObject({
    serverIdOverride: '10.0.1.1',
    receivedUnicast: false,
    subOptions: [1, 2, 5, 10, 11, 151, 152],
  });
  expect(unicast).toMatchObject({ serverIdOverride: '10.0.1.1', receivedUnicast: true });
});
