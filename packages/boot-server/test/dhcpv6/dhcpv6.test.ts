import { describe, expect, it } from 'vitest';
import {
  Dhcp6MessageType as Type,
  Dhcp6OptionCode,
  dhcp6Uint16sOption,
  findDhcp6Option,
  identityAssociationOption,
  type Dhcp6Option,
} from '@ingot/wire';
import {
  BOTH,
  clientId,
  dhcp6Config,
  DNS,
  drops6,
  duidOf,
  EDK2_DUID,
  EUI64_1,
  iaNa,
  IPXE_DUID,
  lease6,
  localClient6,
  message6,
  relay6,
  relayed6,
  serverId,
  startLab6,
  subnet6Config,
} from '../support/dhcp6-client.ts';
import { testConfig } from '../support/config.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';

const RAPID: Dhcp6Option = { code: Dhcp6OptionCode.RAPID_COMMIT, data: new Uint8Array() };

describe('without dhcp6 in the configuration', () => {
  it('nothing listens on port 547', async () => {
    const lab = await startLab();
    await expect(lab.serverHost.bindUdp({ address: '::', port: 547 })).resolves.toBeDefined();
  });
});

describe('a client on the own link', () => {
  it('gets an address with four messages, name servers that it asks for, and the server’s lifetimes', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const asked = [dhcp6Uint16sOption(Dhcp6OptionCode.OPTION_REQUEST, [Dhcp6OptionCode.DNS_SERVERS])];
    const reply = await lease6(client, duidOf(MAC_1), asked);
    expect(client.heard.map(({ type }) => type)).toEqual([Type.ADVERTISE, Type.REPLY]);
    expect(reply.addresses).toEqual(client.heard[0]?.addresses);
    expect(reply.addresses[0]).toMatch(/^2001:db8:0:1::1[0-9a-f]{3}$/);
    expect(reply.options.map(({ code }) => code)).toEqual([1, 2, 3, 23]);
    expect(findDhcp6Option(reply.options, Dhcp6OptionCode.DNS_SERVERS)).toEqual(DNS);
    // T1 and T2 are half and four fifths of 600 s preferred; 1200 s valid.
    const ia = Buffer.from(findDhcp6Option(reply.options, Dhcp6OptionCode.IA_NA) ?? []);
    expect([ia.readUInt32BE(4), ia.readUInt32BE(8), ia.readUInt32BE(32), ia.readUInt32BE(36)]).toEqual([
      300, 480, 600, 1200,
    ]);
    expect(lab.log.records.filter(({ fields }) => String(fields['event']).startsWith('dhcp6.'))).toMatchObject([
      { fields: { event: 'dhcp6.advertise', mac: MAC_1 } },
      { fields: { event: 'dhcp6.reply', mac: MAC_1, address: reply.addresses[0] } },
    ]);
  });

  it('gets it with two messages where both want rapid commit', async () => {
    const client = await localClient6(await startLab6());
    const reply = await client.ask(Type.SOLICIT, [clientId(), iaNa(1), RAPID]);
    expect(reply).toMatchObject({ type: Type.REPLY, addresses: [expect.any(String)] });
    expect(findDhcp6Option(reply?.options ?? [], Dhcp6OptionCode.RAPID_COMMIT)).toBeDefined();
    const sober = await localClient6(
      await startLab6({ subnets: BOTH.map((each) => ({ ...each, rapidCommit: false })) }),
    );
    expect((await sober.ask(Type.SOLICIT, [clientId(), iaNa(1), RAPID]))?.type).toBe(Type.ADVERTISE);
  });

  it('keeps its address at RENEW and REBIND, and is told to drop a strange one', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const first = await lease6(client);
    const [own = ''] = first.addresses;
    await lab.clock.advance(600_000);
    const renewed = await client.ask(Type.RENEW, [clientId(), serverId(first), iaNa(1, own, '2001:db8:9::1')]);
    expect(renewed?.addresses).toEqual([own]);
    const ia = Buffer.from(findDhcp6Option(renewed?.options ?? [], Dhcp6OptionCode.IA_NA) ?? []).toString('hex');
    expect(ia).toMatch(/20010db8000900000000000000000001 00000000 00000000/.source.replaceAll(' ', ''));
    await lab.clock.advance(1_000_000);
    expect((await client.ask(Type.REBIND, [clientId(), iaNa(1, own)]))?.addresses).toEqual([own]);
  });

  it('has no binding at RENEW for an address of somebody else, and no answer to REBIND of another server’s', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const [taken = ''] = (await lease6(client)).addresses;
    const other = await localClient6(lab, 'fe80::5054:ff:fe00:102%rack');
    const server = client.heard[0];
    if (server === undefined) throw new Error('no server');
    const refused = await other.ask(Type.RENEW, [clientId(duidOf(MAC_2)), serverId(server), iaNa(7, taken)]);
    expect(refused?.statuses).toEqual([undefined, 3]);
    expect(await other.ask(Type.REBIND, [clientId(duidOf(MAC_2)), iaNa(7, '2001:db8:0:1::7')])).toBeUndefined();
    expect(await drops6(lab, 'unknown-lease')).toBe(1);
  });

  it('is told at RENEW and REBIND to drop an address of another network, and gets no prefix at either', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const server = await lease6(client);
    const moved = iaNa(9, '2001:db8:9::1');
    const dropped = '20010db8000900000000000000000001' + '00000000'.repeat(2);
    const prefix = identityAssociationOption({ kind: 'pd', iaid: 4, t1: 0, t2: 0, options: [] });
    for (const [type, head] of [
      [Type.RENEW, [clientId(), serverId(server)]],
      [Type.REBIND, [clientId()]],
    ] as const) {
      const reply = await client.ask(type, [...head, moved]);
      const ia = Buffer.from(findDhcp6Option(reply?.options ?? [], Dhcp6OptionCode.IA_NA) ?? []).toString('hex');
      expect(ia).toContain(dropped);
      expect(reply?.statuses).toEqual([undefined, undefined]);
    }
    expect((await client.ask(Type.RENEW, [clientId(), serverId(server), prefix]))?.statuses).toEqual([undefined, 3]);
    expect(await client.ask(Type.REBIND, [clientId(), prefix])).toBeUndefined();
  });

  it.each([
    ['RENEW', Type.RENEW],
    ['REBIND', Type.REBIND],
  ])(
    'that may not keep its address is told the new one by the answer to %s, and to drop the old',
    async (_name, type) => {
      const ofPool = (pool: string, reservations: { mac: string; address: string }[] = []) =>
        dhcp6Config({
          subnets: [subnet6Config({ subnet: '2001:db8:0:1::/64', interface: 'rack', pool, reservations })],
        });
      const lab = await startLab6(ofPool('2001:db8:0:1::1000-2001:db8:0:1::1fff'));
      const client = await localClient6(lab);
      const first = await lease6(client);
      const [own = ''] = first.addresses;
      const asks = (...addresses: string[]) => [
        clientId(),
        ...(type === Type.RENEW ? [serverId(first)] : []),
        iaNa(1, ...addresses),
      ];
      // The pool is moved.
      await lab.server.reload(testConfig(lab.dataDir, { dhcp6: ofPool('2001:db8:0:1::2000-2001:db8:0:1::2fff') }));
      const moved = await client.ask(type, asks(own));
      expect([moved?.addresses, moved?.dropped]).toEqual([[expect.stringMatching(/::2[0-9a-f]{3}$/)], [own]]);
      // Its NIC gets a reservation.
      const reservations = [{ mac: MAC_1, address: '2001:db8:0:1::77' }];
      await lab.server.reload(
        testConfig(lab.dataDir, { dhcp6: ofPool('2001:db8:0:1::2000-2001:db8:0:1::2fff', reservations) }),
      );
      const [second = ''] = moved?.addresses ?? [];
      const reserved = await client.ask(type, asks(second));
      expect([reserved?.addresses, reserved?.dropped]).toEqual([['2001:db8:0:1::77'], [second]]);
      expect((await client.ask(type, asks('2001:db8:0:1::77')))?.addresses).toEqual(['2001:db8:0:1::77']);
    },
  );

  it('gives its address back, and the next one may have it', async () => {
    const subnets = [subnet6Config({ interface: 'rack', pool: '2001:db8:1::5-2001:db8:1::5' })];
    const lab = await startLab6({ subnets });
    const client = await localClient6(lab);
    const first = await lease6(client);
    const other = await localClient6(lab, 'fe80::5054:ff:fe00:102%rack');
    const none = await other.ask(Type.SOLICIT, [clientId(duidOf(MAC_2)), iaNa(1)]);
    expect(none?.statuses).toEqual([undefined, 2]);
    expect(await drops6(lab, 'no-addresses')).toBe(1);
    const released = await client.ask(Type.RELEASE, [clientId(), serverId(first), iaNa(1, '2001:db8:1::5')]);
    expect(released?.statuses).toEqual([0]);
    expect((await lease6(other, duidOf(MAC_2))).addresses).toEqual(['2001:db8:1::5']);
    const again = await client.ask(Type.RELEASE, [clientId(), serverId(first), iaNa(1, '2001:db8:1::5')]);
    expect(again?.statuses).toEqual([0, 3]);
  });

  it('that finds its address in use gets another one', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const first = await lease6(client);
    const declined = await client.ask(Type.DECLINE, [clientId(), serverId(first), iaNa(1, ...first.addresses)]);
    expect(declined?.statuses).toEqual([0]);
    expect((await lease6(client)).addresses).not.toEqual(first.addresses);
    expect(lab.log.records.find(({ fields }) => fields['event'] === 'dhcp6.declined')?.level).toBe('warn');
  });

  it('learns by CONFIRM whether it is still on its link', async () => {
    const client = await localClient6(await startLab6());
    expect((await client.ask(Type.CONFIRM, [clientId(), iaNa(1, '2001:db8:0:1::77')]))?.statuses[0]).toBe(0);
    expect((await client.ask(Type.CONFIRM, [clientId(), iaNa(1, '2001:db8:1::77')]))?.statuses[0]).toBe(4);
    expect(await client.ask(Type.CONFIRM, [clientId(), iaNa(1)])).toBeUndefined();
  });

  it('that asks for an address of another link is told so', async () => {
    const client = await localClient6(await startLab6());
    const advertise = await client.ask(Type.SOLICIT, [clientId(), iaNa(1, '2001:db8:1::1234')]);
    expect(advertise?.addresses).toHaveLength(1);
    const reply = await client.ask(Type.REQUEST, [clientId(), serverId(advertise!), iaNa(1, '2001:db8:1::1234')]);
    expect(reply?.statuses).toEqual([undefined, 4]);
  });

  it('with addresses of its own gets the rest by INFORMATION-REQUEST, also without a DUID', async () => {
    const client = await localClient6(await startLab6());
    const reply = await client.ask(Type.INFORMATION_REQUEST, [dhcp6Uint16sOption(6, [23, 24, 31, 32, 56])]);
    expect(reply?.options.map(({ code }) => code)).toEqual([2, 23, 24, 56, 31, 32]);
  });

  it('that asks for two addresses gets two, and no prefix', async () => {
    const client = await localClient6(await startLab6());
    const prefix = { code: Dhcp6OptionCode.IA_PD, data: new Uint8Array(12) };
    const advertise = await client.ask(Type.SOLICIT, [clientId(), iaNa(1), iaNa(2), prefix]);
    expect(new Set(advertise?.addresses).size).toBe(2);
    expect(advertise?.statuses).toEqual([undefined, undefined, undefined, 6]);
  });

  it('is told to use multicast when it writes to an own address', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    const first = await lease6(client);
    const global = await localClient6(lab, '2001:db8:0:1::1500');
    const renew = message6(Type.RENEW, [clientId(), serverId(first), iaNa(1, ...first.addresses)]);
    const reply = await global.send(renew, '2001:db8::1');
    expect(reply).toMatchObject({ type: Type.REPLY, statuses: [5], addresses: [] });
    expect(await global.send(message6(Type.SOLICIT, [clientId(), iaNa(1)]), '2001:db8::1')).toBeUndefined();
    expect(await drops6(lab, 'unicast')).toBe(1);
  });
});

describe('leases', () => {
  it('and the server’s DUID are there after a restart', async () => {
    const first = await startLab6();
    const before = await lease6(await localClient6(first));
    await first.server.stop();
    const second = await startLab6({}, first.dataDir);
    const client = await localClient6(second);
    const renewed = await client.ask(Type.RENEW, [clientId(), serverId(before), iaNa(1, ...before.addresses)]);
    expect(renewed?.addresses).toEqual(before.addresses);
    expect(await second.metrics.text()).toContain('leases{subnet="2001:db8:0:1::/64"} 1');
  });

  it.each([
    ['MAC', { mac: MAC_1 }],
    ['DUID', { duid: '00:03:00:01:52:54:00:00:01:01' }],
  ])('go by reservation of a %s', async (_what, who) => {
    const reservations = [{ ...who, address: '2001:db8:1::77' }];
    const lab = await startLab6({ subnets: [subnet6Config({ interface: 'rack', pool: undefined, reservations })] });
    expect((await lease6(await localClient6(lab))).addresses).toEqual(['2001:db8:1::77']);
    const other = await localClient6(lab, 'fe80::5054:ff:fe00:102%rack');
    const refused = await other.ask(Type.SOLICIT, [clientId(duidOf(MAC_2)), iaNa(1, '2001:db8:1::77')]);
    expect(refused?.statuses).toEqual([undefined, 2]);
  });

  it('that were declined by the NIC that they are reserved for leave it at work with one of the pool', async () => {
    const reservations = [{ mac: MAC_1, address: '2001:db8:1::77' }];
    const lab = await startLab6({ subnets: [subnet6Config({ interface: 'rack', reservations })] });
    const client = await localClient6(lab);
    const first = await lease6(client);
    await client.ask(Type.DECLINE, [clientId(), serverId(first), iaNa(1, '2001:db8:1::77')]);
    const [pooled = ''] = (await lease6(client)).addresses;
    expect(pooled).toMatch(/^2001:db8:1::1[0-9a-f]{3}$/);
    await lab.clock.advance(600_000);
    const renewed = await client.ask(Type.RENEW, [clientId(), serverId(first), iaNa(1, pooled)]);
    expect([renewed?.addresses, renewed?.dropped]).toEqual([[pooled], []]);
    expect((await lease6(client)).addresses).toEqual(['2001:db8:1::77']);
  });

  it('reserved for a MAC are the same in firmware, iPXE and operating system, whose DUIDs differ', async () => {
    const reservations = [{ mac: MAC_1, address: '2001:db8:1::77' }];
    const lab = await startLab6({ subnets: [subnet6Config({ interface: 'rack', reservations })] });
    const client = await localClient6(lab);
    for (const duid of [EDK2_DUID, IPXE_DUID, duidOf(MAC_1)]) {
      expect((await lease6(client, duid)).addresses).toEqual(['2001:db8:1::77']);
    }
  });
});

describe('through relays', () => {
  it('a client gets an address of the link that the relay names, and the relay its interface id', async () => {
    const lab = await startLab6();
    const options = [{ code: Dhcp6OptionCode.INTERFACE_ID, data: Uint8Array.of(1, 2, 3) }];
    const reply = await lease6(await relay6(lab, { link: '2001:db8:1::1', options }));
    expect(reply.addresses[0]).toMatch(/^2001:db8:1::1[0-9a-f]{3}$/);
    expect(reply.relays).toMatchObject([{ type: Type.RELAY_REPL, linkAddress: '2001:db8:1::1', peerAddress: EUI64_1 }]);
    expect(reply.relays[0]?.options.map(({ code }) => code)).toEqual([18, 9]);
  });

  it('a chain of them is gone back, and the nearest one that names a link decides', async () => {
    const lab = await startLab6();
    const relay = await relay6(lab, { link: '::' });
    const solicit = message6(Type.SOLICIT, [clientId(), iaNa(1)]);
    // A layer-2 relay leaves the link open; the next one fills it in.
    const chain = relayed6(relayed6(relayed6(solicit, { link: '::' }), { link: '2001:db8:1::1', hopCount: 1 }), {
      link: '2001:db8:7::1',
      hopCount: 2,
    });
    const advertise = await relay.send(chain);
    expect(advertise?.relays.map(({ hopCount }) => hopCount)).toEqual([2, 1, 0]);
    expect(advertise?.addresses[0]).toMatch(/^2001:db8:1::/);
  });

  it('of a network that nobody configured there is no answer, nor of relays that are not meant', async () => {
    const lab = await startLab6({ relays: ['2001:db8:50::/64'] });
    const stranger = await relay6(lab, { link: '2001:db8:1::1' });
    expect(await stranger.ask(Type.SOLICIT, [clientId(), iaNa(1)])).toBeUndefined();
    const known = await relay6(lab, { link: '2001:db8:77::1', own: '2001:db8:50::1' });
    expect(await known.ask(Type.SOLICIT, [clientId(), iaNa(1)])).toBeUndefined();
    expect([await drops6(lab, 'unknown-relay'), await drops6(lab, 'unknown-network')]).toEqual([1, 1]);
  });

  it('the hardware address is the one that the relay saw', async () => {
    const lab = await startLab6();
    const option79 = { code: Dhcp6OptionCode.CLIENT_LINK_LAYER_ADDRESS, data: Uint8Array.of(0, 1, 2, 0, 0, 0, 0, 9) };
    await lease6(await relay6(lab, { link: '2001:db8:1::1', options: [option79] }));
    expect(lab.log.records.find(({ fields }) => fields['event'] === 'dhcp6.reply')?.fields['mac']).toBe(
      '02:00:00:00:00:09',
    );
  });

  it('a relay that asks from another port is answered there (RFC 8357)', async () => {
    const lab = await startLab6();
    const host = lab.network.host('relay', '2001:db8::98');
    const socket = await host.bindUdp({ address: '2001:db8::98', port: 1547 });
    let answered = 0;
    socket.onDatagram(() => (answered += 1));
    const options = [{ code: Dhcp6OptionCode.RELAY_PORT, data: Uint8Array.of(0, 0) }];
    const solicit = message6(Type.SOLICIT, [clientId(), iaNa(1)]);
    await socket.send(relayed6(solicit, { link: '2001:db8:1::1', options }), { address: '2001:db8::1', port: 547 });
    await lab.clock.advance(0);
    expect(answered).toBe(1);
  });
});

describe('what is no proper question', () => {
  it.each<[string, string, number, Dhcp6Option[]]>([
    ['SOLICIT without a client id', 'no-client-id', Type.SOLICIT, [iaNa(1)]],
    [
      'SOLICIT with a server id',
      'unwanted-server-id',
      Type.SOLICIT,
      [clientId(), { code: 2, data: Uint8Array.of(0, 9, 1) }],
    ],
    [
      'REQUEST to another server',
      'another-server',
      Type.REQUEST,
      [clientId(), { code: 2, data: Uint8Array.of(0, 9, 1) }],
    ],
    ['REQUEST to nobody', 'another-server', Type.REQUEST, [clientId(), iaNa(1)]],
    [
      'INFORMATION-REQUEST to another server',
      'another-server',
      Type.INFORMATION_REQUEST,
      [{ code: 2, data: Uint8Array.of(0, 9, 1) }],
    ],
    ['INFORMATION-REQUEST with an IA', 'malformed', Type.INFORMATION_REQUEST, [iaNa(1)]],
    ['a server’s message', 'not-a-request', Type.ADVERTISE, [clientId()]],
    ['a client id of one byte', 'malformed', Type.SOLICIT, [{ code: 1, data: Uint8Array.of(1) }]],
    ['half an IA', 'malformed', Type.SOLICIT, [clientId(), { code: 3, data: Uint8Array.of(1) }]],
    [
      'nine IAs',
      'too-many-associations',
      Type.SOLICIT,
      [clientId(), ...Array.from({ length: 9 }, (_, index) => iaNa(index))],
    ],
  ])('%s is dropped as %s', async (_what, reason, type, options) => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    expect(await client.ask(type, options)).toBeUndefined();
    expect(await drops6(lab, reason)).toBe(1);
  });

  it('machines that share a DUID are not taken for one that asks without end', async () => {
    const lab = await startLab6();
    const shared = Uint8Array.of(0, 4, ...new Uint8Array(16));
    for (let machine = 1; machine <= 30; machine += 1) {
      const client = await localClient6(lab, `fe80::5054:ff:fe00:2${machine.toString(16).padStart(2, '0')}%rack`);
      const advertise = await client.ask(Type.SOLICIT, [clientId(shared), iaNa(machine)]);
      expect(advertise?.addresses).toHaveLength(1);
    }
  });

  it('a client that asks without end is left alone for a while', async () => {
    const lab = await startLab6();
    const client = await localClient6(lab);
    for (let index = 0; index < 30; index += 1) await client.ask(Type.SOLICIT, [clientId(), iaNa(1)]);
    expect(client.heard).toHaveLength(20);
    expect(await drops6(lab, 'rate-limit')).toBe(10);
    await lab.clock.advance(10_000);
    expect(await client.ask(Type.SOLICIT, [clientId(), iaNa(1)])).toBeDefined();
  });
});
