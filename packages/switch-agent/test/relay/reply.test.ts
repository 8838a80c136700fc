import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOfLatin1, FLAG_BROADCAST, MessageType, type DhcpDraft, type Ipv4 } from '@ingot/wire';
import { createBench, dhcp, ip, linkSettings, MAC, read, type RelayBench, type Said } from './kit.ts';

const { ACK, DISCOVER, NAK, OFFER, REQUEST } = MessageType;
const ALL = Uint8Array.of(255, 255, 255, 255, 255, 255);

let bench: RelayBench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

interface Delivered {
  readonly from: Ipv4;
  readonly to: string;
  readonly mac: Uint8Array;
  readonly said: Said;
}

async function delivered(link = 'Vlan4000'): Promise<Delivered[]> {
  await bench.settle();
  return bench
    .link(link)
    .sent.map(({ from, reply }) => ({ from, to: reply.target.address, mac: reply.mac, said: read(reply.data) }));
}

/** Lets a server answer what it has been asked last, as RFC 3046 wants it: option 82 comes back as it came. */
async function answer(type: MessageType, draft: Partial<DhcpDraft> = {}, number: 0 | 1 = 0): Promise<void> {
  await bench.settle();
  const server = bench.servers[number];
  const last = server.received.at(-1);
  if (last === undefined) throw new Error('the server was not asked');
  const { packet } = read(last.data);
  const echoed = packet.options.filter(({ code }) => code === 82);
  const { options = [], ...more } = draft;
  const own = { op: 2, xid: packet.xid, giaddr: packet.giaddr, chaddr: packet.chaddr, flags: packet.flags } as const;
  const reply = dhcp(type, { ...own, yiaddr: ip('10.0.1.100'), ...more, options: [...options, ...echoed] });
  await server.reply(reply, packet.giaddr);
}

const FOREIGN = { code: 82, data: Uint8Array.of(1, 6, ...bytesOfLatin1('theirs')) };

describe('an answer goes', () => {
  test('to the client alone, by its hardware address, and without our option 82', async () => {
    await bench.apply(linkSettings());
    bench.link().request(dhcp(DISCOVER));
    await answer(OFFER);
    expect(await delivered()).toMatchObject([
      {
        from: '10.0.1.1',
        to: '10.0.1.100',
        mac: MAC,
        said: { type: OFFER, codes: [53], packet: { yiaddr: '10.0.1.100' } },
      },
    ]);
  });

  test('to its ciaddr where it gives no address, as an ACK to an INFORM', async () => {
    await bench.apply(linkSettings());
    bench.link().request(dhcp(MessageType.INFORM, { ciaddr: ip('10.0.1.7') }));
    await answer(ACK, { yiaddr: ip('0.0.0.0'), ciaddr: ip('10.0.1.7') });
    expect(await delivered()).toMatchObject([{ to: '10.0.1.7', mac: MAC }]);
  });

  test.each([
    ['the client asks for it', OFFER, { flags: FLAG_BROADCAST }],
    ['it is a NAK', NAK, {}],
    ['the client has no address', ACK, { yiaddr: ip('0.0.0.0') }],
    ['the hardware address is that of a group', OFFER, { chaddr: Uint8Array.of(1, 0, 0x5e, 0, 0, 1) }],
    ['there is no hardware address', OFFER, { chaddr: new Uint8Array(6) }],
    ['the hardware is no Ethernet', OFFER, { htype: 32, hlen: 0 }],
  ])('to all where %s', async (_name, type, draft) => {
    await bench.apply(linkSettings());
    bench.link().request(dhcp(DISCOVER));
    await answer(type, draft);
    expect(await delivered()).toMatchObject([{ to: '255.255.255.255', mac: ALL }]);
  });

  test('back to the link that it is for', async () => {
    await bench.apply(linkSettings(), linkSettings({ name: 'Vlan4001' }));
    bench.link('Vlan4001').request(dhcp(DISCOVER));
    await answer(OFFER, { yiaddr: ip('10.0.2.100') });
    expect(await delivered('Vlan4000')).toEqual([]);
    expect(await delivered('Vlan4001')).toMatchObject([{ from: '10.0.2.1', to: '10.0.2.100' }]);
  });

  test('back to the link that its echoed link selection names, where links share a giaddr', async () => {
    const shared = { sourceInterface: 'Loopback0', linkSelection: true };
    await bench.apply(linkSettings(shared), linkSettings({ ...shared, name: 'Vlan4001' }));
    bench.link('Vlan4001').request(dhcp(DISCOVER));
    await answer(OFFER, { yiaddr: ip('10.0.2.100') });
    expect(await delivered('Vlan4000')).toEqual([]);
    expect(await delivered('Vlan4001')).toMatchObject([{ from: '10.0.2.1', to: '10.0.2.100', said: { codes: [53] } }]);
  });

  test('back to the client with its own option 82 in modes append and forward', async () => {
    for (const agentRelayMode of ['append', 'forward'] as const) {
      await bench.apply(linkSettings({ agentRelayMode }));
      bench.link().request(dhcp(DISCOVER, { options: [FOREIGN] }));
      await answer(OFFER);
      expect((await delivered()).at(-1)?.said).toMatchObject({ circuitId: 'theirs', subOptions: [1] });
      bench.link().request(dhcp(DISCOVER));
      await answer(OFFER);
      expect((await delivered()).at(-1)?.said).toMatchObject({ subOptions: [], codes: [53] });
    }
  });

  test('without the option 82 that ours has replaced', async () => {
    await bench.apply(linkSettings({ agentRelayMode: 'replace' }));
    bench.link().request(dhcp(DISCOVER, { options: [FOREIGN] }));
    await answer(OFFER);
    expect((await delivered())[0]?.said.codes).toEqual([53]);
  });
});

describe('an answer is dropped', () => {
  const reply = (draft: Partial<DhcpDraft> = {}, type: MessageType = OFFER): Uint8Array =>
    dhcp(type, { op: 2, giaddr: ip('10.0.1.1'), yiaddr: ip('10.0.1.100'), ...draft });

  async function refusal(): Promise<readonly string[]> {
    expect(await delivered()).toEqual([]);
    return Object.keys(await bench.metric('ingot_switch_relay_refused_total'));
  }

  test('when it is not from a server that was asked', async () => {
    await bench.apply(linkSettings({ servers: [ip('10.0.0.1')] }));
    await bench.servers[1].reply(reply(), '10.0.1.1');
    expect(await refusal()).toEqual(['Vlan4000,unknown-server']);
    expect(bench.log.events('relay.refused')[0]?.fields).toMatchObject({ server: '10.0.0.2' });
  });

  test('when it is from the server of another link', async () => {
    const shared = { sourceInterface: 'Loopback0', linkSelection: true };
    await bench.apply(
      linkSettings({ ...shared, servers: [ip('10.0.0.1')] }),
      linkSettings({ ...shared, name: 'Vlan4001', servers: [ip('10.0.0.2')] }),
    );
    bench.link('Vlan4000').request(dhcp(DISCOVER));
    await bench.settle();
    const [asked] = bench.servers[0].received;
    const { packet } = read(asked?.data ?? new Uint8Array(0));
    await bench.servers[1].reply(
      dhcp(OFFER, { op: 2, giaddr: packet.giaddr, yiaddr: ip('10.0.1.9'), options: packet.options.slice(1) }),
      '10.255.0.1',
    );
    expect(await refusal()).toEqual([',unknown-server']);
  });

  test.each([
    ['foreign-giaddr', reply({ giaddr: ip('10.0.2.1') })],
    ['foreign-giaddr', reply({ giaddr: ip('0.0.0.0') })],
    ['not-a-servers-message', reply({}, DISCOVER)],
    ['malformed-reply', reply().subarray(0, 100)],
  ])('as %s', async (reason, data) => {
    await bench.apply(linkSettings());
    await bench.servers[0].reply(data, '10.0.1.1');
    expect(await refusal()).toEqual([`Vlan4000,${reason}`]);
  });

  test('when links share a giaddr and it does not say which it is for', async () => {
    const shared = { sourceInterface: 'Loopback0', linkSelection: true };
    await bench.apply(linkSettings(shared), linkSettings({ ...shared, name: 'Vlan4001' }));
    await bench.servers[0].reply(reply({ giaddr: ip('10.255.0.1') }), '10.255.0.1');
    expect(await refusal()).toEqual([',no-link']);
  });

  test('in silence when it is a request, which came over its link, too', async () => {
    await bench.apply(linkSettings());
    await bench.servers[0].reply(dhcp(REQUEST), '10.0.1.1');
    expect(await refusal()).toEqual([]);
  });
});

describe('with the server identifier overridden and two servers', () => {
  const both = { serverIdOverride: true, servers: [ip('10.0.0.1'), ip('10.0.0.2')] };
  const request = (address: string, xid = 7): Uint8Array =>
    dhcp(REQUEST, {
      xid,
      options: [
        { code: 50, data: Uint8Array.from(address.split('.').map(Number)) },
        { code: 54, data: Uint8Array.of(10, 0, 1, 1) },
      ],
    });

  test('a REQUEST goes to the server whose address the client has chosen', async () => {
    await bench.apply(linkSettings(both));
    bench.link().request(dhcp(DISCOVER, { xid: 7 }));
    await answer(OFFER, { yiaddr: ip('10.0.1.100') }, 0);
    await answer(OFFER, { yiaddr: ip('10.0.1.200') }, 1);
    await bench.settle();
    bench.link().request(request('10.0.1.200'));
    await bench.settle();
    expect(bench.servers[0].received).toHaveLength(1);
    expect(bench.servers[1].received.map(({ data }) => read(data).type)).toEqual([DISCOVER, REQUEST]);
  });

  test('a REQUEST of a client that names its server itself goes to both, and so does every one without the override', async () => {
    for (const settings of [both, { ...both, serverIdOverride: false }]) {
      await bench.apply(linkSettings(settings));
      bench.link().request(dhcp(DISCOVER, { xid: 7 }));
      await answer(OFFER, { yiaddr: ip('10.0.1.100') }, 0);
      await bench.settle();
      const before = bench.servers.map(({ received }) => received.length);
      const named = dhcp(REQUEST, {
        xid: 7,
        options: [
          { code: 50, data: Uint8Array.of(10, 0, 1, 100) },
          { code: 54, data: Uint8Array.of(10, 0, 0, 1) },
        ],
      });
      bench.link().request(settings.serverIdOverride ? named : request('10.0.1.100'));
      await bench.settle();
      expect(bench.servers.map(({ received }) => received.length)).toEqual(before.map((count) => count + 1));
    }
  });

  test('a REQUEST after a restart, or of a lease of long ago, goes to both', async () => {
    await bench.apply(linkSettings(both));
    bench.link().request(request('10.0.1.200', 8));
    await bench.settle();
    expect(bench.servers.map(({ received }) => received.length)).toEqual([1, 1]);
    bench.link().request(dhcp(DISCOVER, { xid: 7 }));
    await answer(OFFER, { yiaddr: ip('10.0.1.100') }, 0);
    await bench.clock.advance(60_001);
    bench.link().request(request('10.0.1.100'));
    await bench.settle();
    expect(bench.servers.map(({ received }) => received.length)).toEqual([3, 3]);
  });
});

test('what is passed on is counted by link, direction and type', async () => {
  await bench.apply(linkSettings());
  bench.link().request(dhcp(DISCOVER));
  await answer(OFFER);
  bench.link().request(dhcp(undefined));
  bench.link().request(Uint8Array.from([...dhcp(undefined).subarray(0, 240), 53, 1, 200, 255]));
  expect(await bench.metric('ingot_switch_relay_packets_total')).toEqual({
    'Vlan4000,request,DISCOVER': 1,
    'Vlan4000,reply,OFFER': 1,
    'Vlan4000,request,BOOTP': 1,
    'Vlan4000,request,other': 1,
  });
});
