import { describe, expect, it } from 'vitest';
import { bytesOfIpv4, encodeDhcp, decodeDhcp, MessageType, textOption, type DhcpOption } from '@ingot/wire';
import type { SubnetConfig } from '../src/config/dhcp.ts';
import { addressOption, localClient, OPTION_82, relay, selecting } from './client.ts';
import {
  CLIENTS,
  fieldText,
  ip,
  MAC_1,
  MAC_2,
  message,
  startLab,
  subnetConfig,
  testConfig,
  type Lab,
  type Reply,
} from './harness.ts';

// The rules of RFC 2131 that concern a server, in its order. A name begins with the section that says so.

const { DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM } = MessageType;
const os = { mac: MAC_1, kind: CLIENTS.udhcpc };
const other = { mac: MAC_2, kind: CLIENTS.udhcpc };
const XID = 0x1234;

type Change = Partial<SubnetConfig>;
/** `local`: 10.0.0.0/24, on the server's own link. `remote`: 10.0.1.0/24, behind a relay. */
function labWith(remote: Change = {}, local: Change = {}): Promise<Lab> {
  return startLab({
    config: (dir) => {
      const base = testConfig(dir);
      return {
        ...base,
        dhcp: { ...base.dhcp, subnets: [subnetConfig('10.0.0', local), subnetConfig('10.0.1', remote)] },
      };
    },
  });
}

type Via = Awaited<ReturnType<typeof relay>>;
async function remoteLab(change: Change = {}): Promise<{ lab: Lab; via: Via }> {
  const lab = await labWith(change);
  return { lab, via: await relay(lab, '10.0.1.1') };
}

const typeOf = (reply: Reply | undefined): number | undefined => reply?.options.get(53)?.[0];
const wanted = (address: string): DhcpOption => addressOption(50, ip(address));
const server = (address: string): DhcpOption => addressOption(54, ip(address));
const codes = (reply: Reply | undefined): number[] => [...(reply?.options.keys() ?? [])];

async function bound(via: Via, client = os): Promise<Reply> {
  const offer = await via.ask(DISCOVER, client);
  const ack = offer && (await via.ask(REQUEST, client, selecting(offer)));
  if (ack === undefined || typeOf(ack) !== ACK) throw new Error('no lease');
  return ack;
}

/** Sends from the client's own address to the server's, as one that renews does. */
async function unicast(
  lab: Lab,
  from: string,
  type: MessageType,
  options: readonly DhcpOption[] = [],
  client = os,
): Promise<Reply | undefined> {
  const host = lab.network.host(`client ${from}`, `${from}/24`);
  const socket = await host.bindUdp({ address: from, port: 68 });
  let heard: Reply | undefined;
  socket.onDatagram(({ data }) => {
    const decoded = decodeDhcp(data);
    if (decoded.ok)
      heard = {
        packet: decoded.value,
        options: new Map(decoded.value.options.map((o) => [o.code, o.data])),
        bytes: data,
      };
  });
  await socket.send(message(type, { ...client, ciaddr: ip(from) }, options), { address: '10.0.0.1', port: 67 });
  await lab.clock.advance(0);
  await socket.close();
  return heard;
}

describe('mode server', () => {
  it('§4.3.1: the address is the one of the client’s current binding, even when it wishes for another', async () => {
    const { via } = await remoteLab();
    await bound(via);
    expect((await via.ask(DISCOVER, os, [wanted('10.0.1.150')]))?.packet.yiaddr).toBe('10.0.1.100');
  });

  it('§4.3.1: else its previous one, released or expired, if that is available', async () => {
    const { lab, via } = await remoteLab();
    await bound(via);
    await bound(via, other);
    await unicast(lab, '10.0.1.100', RELEASE, [server('10.0.0.1')]);
    expect((await via.ask(DISCOVER, os))?.packet.yiaddr).toBe('10.0.1.100');
    await lab.clock.advance(3_600_000);
    expect((await via.ask(DISCOVER, other))?.packet.yiaddr).toBe('10.0.1.101');
  });

  it('§4.3.1: else the one of the "Requested IP Address" option, if it is valid and not allocated', async () => {
    const { via } = await remoteLab();
    expect((await via.ask(DISCOVER, os, [wanted('10.0.1.150')]))?.packet.yiaddr).toBe('10.0.1.150');
    await via.ask(REQUEST, os, [wanted('10.0.1.150'), server('10.0.0.1')]);
    expect((await via.ask(DISCOVER, other, [wanted('10.0.1.150')]))?.packet.yiaddr).toBe('10.0.1.100');
    expect((await via.ask(DISCOVER, { ...other, mac: '52:54:00:00:01:03' }, [wanted('10.0.9.9')]))?.packet.yiaddr).toBe(
      '10.0.1.101',
    );
  });

  it('§4.3.1: else a new one, of the network that giaddr is in, or of the link that it came from', async () => {
    const { lab, via } = await remoteLab();
    expect((await via.ask(DISCOVER, os))?.packet.yiaddr).toBe('10.0.1.100');
    const near = await localClient(lab, lab.network.host('near', '10.0.0.200/24'));
    expect((await near.send(message(DISCOVER, other)))?.packet.yiaddr).toBe('10.0.0.100');
  });

  it('§4.3.1: an address that is offered to one client is not offered to another', async () => {
    const { via } = await remoteLab({ pool: '10.0.1.100-10.0.1.101' });
    const first = await via.ask(DISCOVER, os);
    const second = await via.ask(DISCOVER, other);
    expect([first?.packet.yiaddr, second?.packet.yiaddr]).toEqual(['10.0.1.100', '10.0.1.101']);
    expect(await via.ask(DISCOVER, { ...other, mac: '52:54:00:00:01:03' })).toBeUndefined();
  });

  it('§4.3.1: the lease time is the configured one, also for a client that asks for another', async () => {
    const { via } = await remoteLab({ leaseSeconds: 600 });
    const forever: DhcpOption = { code: 51, data: Uint8Array.of(255, 255, 255, 255) };
    expect((await via.ask(DISCOVER, os, [forever]))?.options.get(51)).toEqual(Uint8Array.of(0, 0, 2, 88));
  });

  it('§4.3.1, table 3: the fields of an OFFER', async () => {
    const { via } = await remoteLab();
    const offer = await via.ask(DISCOVER, { ...os, kind: { ...os.kind, flags: 0x8000 } });
    expect(offer?.packet).toMatchObject({
      op: 2,
      htype: 1,
      hlen: 6,
      hops: 0,
      xid: XID,
      secs: 0,
      flags: 0x8000,
      ciaddr: '0.0.0.0',
      yiaddr: '10.0.1.100',
      giaddr: '10.0.1.1',
    });
    expect(typeOf(offer)).toBe(OFFER);
  });

  it('§4.3.1, table 3: an OFFER and an ACK have options 51, 53 and 54, and neither 50, 55 nor 57', async () => {
    const { via } = await remoteLab();
    const more = [
      { code: 55, data: Uint8Array.of(1, 3, 50, 55, 57) },
      { code: 57, data: Uint8Array.of(5, 192) },
    ];
    const offer = await via.ask(DISCOVER, os, more);
    const ack = offer && (await via.ask(REQUEST, os, [...selecting(offer), ...more]));
    for (const reply of [offer, ack]) {
      expect(codes(reply)).toEqual(expect.arrayContaining([51, 53, 54]));
      for (const code of [50, 55, 57]) expect(codes(reply)).not.toContain(code);
    }
  });

  it('§3.1: what an ACK says does not conflict with the OFFER before it', async () => {
    const { via } = await remoteLab();
    const offer = await via.ask(DISCOVER, os);
    const ack = offer && (await via.ask(REQUEST, os, selecting(offer)));
    const told = (reply: Reply | undefined): unknown[] =>
      [...(reply?.options ?? [])]
        .filter(([code]) => code !== 53)
        .map(([code, data]) => [code, Buffer.from(data).toString('hex')]);
    expect(told(ack)).toEqual(told(offer));
    expect(ack?.packet.yiaddr).toBe(offer?.packet.yiaddr);
  });

  it('§4.3.1: the same client identifier comes back (RFC 6842 in place of table 3)', async () => {
    const { via } = await remoteLab();
    const id: DhcpOption = { code: 61, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7) };
    expect((await via.ask(DISCOVER, os, [id]))?.options.get(61)).toEqual(id.data);
  });

  it('§4.3.2, SELECTING: an ACK for the address that was offered', async () => {
    const { via } = await remoteLab();
    const offer = await via.ask(DISCOVER, os);
    const ack = offer && (await via.ask(REQUEST, os, selecting(offer)));
    expect([typeOf(ack), ack?.packet.yiaddr, ack?.packet.ciaddr]).toEqual([ACK, '10.0.1.100', '0.0.0.0']);
  });

  it('§4.3.2, SELECTING: another server’s identifier is silence, and takes the offer back', async () => {
    const { via } = await remoteLab({ pool: '10.0.1.100-10.0.1.100' });
    await via.ask(DISCOVER, os);
    expect(await via.ask(REQUEST, os, [wanted('10.0.1.30'), server('10.0.0.2')])).toBeUndefined();
    expect((await via.ask(DISCOVER, other))?.packet.yiaddr).toBe('10.0.1.100');
  });

  it('§4.3.2, SELECTING: a server that cannot satisfy the REQUEST answers with a NAK', async () => {
    const { via } = await remoteLab();
    await bound(via, other);
    expect(typeOf(await via.ask(REQUEST, os, [wanted('10.0.1.100'), server('10.0.0.1')]))).toBe(NAK);
  });

  it('§4.3.2, INIT-REBOOT: an ACK for the address that it has', async () => {
    const { via } = await remoteLab();
    await bound(via);
    const ack = await via.ask(REQUEST, os, [wanted('10.0.1.100')]);
    expect([typeOf(ack), ack?.packet.yiaddr]).toEqual([ACK, '10.0.1.100']);
  });

  it('§4.3.2, INIT-REBOOT: a NAK for another’s address, for one that is not its own, and for one of another network', async () => {
    const { via } = await remoteLab();
    await bound(via);
    await bound(via, other);
    for (const address of ['10.0.1.101', '10.0.1.150', '10.0.2.100'])
      expect([address, typeOf(await via.ask(REQUEST, os, [wanted(address)]))]).toEqual([address, NAK]);
  });

  it('§4.3.2, INIT-REBOOT: silence where there is no record of the client and the address is not of this server', async () => {
    const { via } = await remoteLab();
    expect(await via.ask(REQUEST, os, [wanted('10.0.1.30')])).toBeUndefined();
  });

  it('§4.3.2, INIT-REBOOT: instead of silence an ACK where there is no record, and the address is free and of this server’s pool', async () => {
    // After a lost disk the clients are the record. Nobody else may give out what is in our pool.
    const { via } = await remoteLab();
    expect(typeOf(await via.ask(REQUEST, os, [wanted('10.0.1.150')]))).toBe(ACK);
  });

  it('§4.3.2, INIT-REBOOT: on the own link the NAK is broadcast to 255.255.255.255', async () => {
    const lab = await labWith();
    const near = await localClient(lab, lab.network.host('near', '10.0.0.200/24'));
    expect(typeOf(await near.send(message(REQUEST, os, [wanted('10.0.1.100')])))).toBe(NAK);
  });

  it('§4.3.2: a NAK through a relay has the broadcast bit, goes to giaddr, and has no address in it', async () => {
    const { via } = await remoteLab();
    const nak = await via.ask(REQUEST, os, [wanted('10.0.2.100')]);
    expect(nak?.packet).toMatchObject({
      flags: 0x8000,
      ciaddr: '0.0.0.0',
      yiaddr: '0.0.0.0',
      siaddr: '0.0.0.0',
      xid: XID,
    });
    expect([fieldText(nak?.packet.sname ?? new Uint8Array()), fieldText(nak?.packet.file ?? new Uint8Array())]).toEqual(
      ['', ''],
    );
    // Table 3: of the options a NAK has 53, 54, 56 and those that are echoed, and no other.
    expect(codes(nak).toSorted((a, b) => a - b)).toEqual([53, 54, 56, 82]);
  });

  it('§4.3.2, RENEWING: by unicast, with ciaddr alone: the lease is extended, the ACK goes there', async () => {
    const { lab, via } = await remoteLab();
    await bound(via);
    await lab.clock.advance(300_000);
    const ack = await unicast(lab, '10.0.1.100', REQUEST);
    expect([typeOf(ack), ack?.packet.yiaddr, ack?.packet.ciaddr]).toEqual([ACK, '10.0.1.100', '10.0.1.100']);
    await lab.clock.advance(599_000);
    expect((await via.ask(DISCOVER, other, [wanted('10.0.1.100')]))?.packet.yiaddr).toBe('10.0.1.101');
  });

  it('§4.3.2, REBINDING: by broadcast, with ciaddr alone: an ACK if the address is its own, a NAK if another’s', async () => {
    const lab = await labWith();
    const near = await localClient(lab, lab.network.host('near', '10.0.0.100/24'));
    const offer = await near.send(message(DISCOVER, os));
    await near.send(message(REQUEST, os, offer && selecting(offer)));
    expect(typeOf(await near.send(message(REQUEST, { ...os, ciaddr: ip('10.0.0.100') })))).toBe(ACK);
    expect(typeOf(await near.send(message(REQUEST, { ...other, ciaddr: ip('10.0.0.100') })))).toBe(NAK);
  });

  it('§4.3.2: a REQUEST that names no address is not answered', async () => {
    const { via } = await remoteLab();
    expect(await via.ask(REQUEST, os)).toBeUndefined();
  });

  it('§4.3.3: a declined address is given to nobody, and the administrator is told', async () => {
    const { lab, via } = await remoteLab({ pool: '10.0.1.100-10.0.1.101' });
    await bound(via);
    expect(await via.ask(DECLINE, os, [wanted('10.0.1.100'), server('10.0.0.1')])).toBeUndefined();
    expect(lab.log.events('dhcp.declined')).toHaveLength(1);
    expect((await via.ask(DISCOVER, os))?.packet.yiaddr).toBe('10.0.1.101');
    expect(await via.ask(DISCOVER, other)).toBeUndefined();
  });

  it('§4.3.3: nobody can decline the address of another, nor at another server', async () => {
    const { via } = await remoteLab({ pool: '10.0.1.100-10.0.1.100' });
    await bound(via);
    await via.ask(DECLINE, other, [wanted('10.0.1.100'), server('10.0.0.1')]);
    await via.ask(DECLINE, os, [wanted('10.0.1.100'), server('10.0.0.2')]);
    expect(typeOf(await via.ask(REQUEST, os, [wanted('10.0.1.100')]))).toBe(ACK);
  });

  it('§4.3.4: a released address is free, and remembered for its client', async () => {
    const { lab, via } = await remoteLab({ pool: '10.0.1.100-10.0.1.101' });
    await bound(via);
    expect(await unicast(lab, '10.0.1.100', RELEASE, [server('10.0.0.1')])).toBeUndefined();
    expect((await via.ask(DISCOVER, other))?.packet.yiaddr).toBe('10.0.1.101');
    expect((await via.ask(DISCOVER, os))?.packet.yiaddr).toBe('10.0.1.100');
  });

  it('§4.3.4: a stranger’s RELEASE frees nothing', async () => {
    const { lab, via } = await remoteLab({ pool: '10.0.1.100-10.0.1.100' });
    await bound(via);
    await unicast(lab, '10.0.1.100', RELEASE, [server('10.0.0.1')], other);
    expect(await via.ask(DISCOVER, other)).toBeUndefined();
  });

  it('§4.3.5: an INFORM is acknowledged at ciaddr, without lease time and yiaddr, and no lease is looked for', async () => {
    const { lab } = await remoteLab();
    const ack = await unicast(lab, '10.0.1.30', INFORM, [{ code: 55, data: Uint8Array.of(1, 3, 6) }]);
    expect(ack?.packet).toMatchObject({ ciaddr: '10.0.1.30', yiaddr: '0.0.0.0' });
    expect(typeOf(ack)).toBe(ACK);
    expect(ack?.options.get(6)).toEqual(bytesOfIpv4(ip('10.0.0.53')));
    for (const code of [51, 58, 59]) expect(codes(ack)).not.toContain(code);
  });

  it('§4.1: with giaddr the reply goes to port 67 there, whatever ciaddr and flags say', async () => {
    const { lab, via } = await remoteLab();
    await bound(via);
    const client = lab.network.host('client', '10.0.1.100/24');
    let strayed = 0;
    (await client.bindUdp({ address: '10.0.1.100', port: 68 })).onDatagram(() => (strayed += 1));
    const socket = await via.host.bindUdp({ address: '10.0.1.1', port: 6_767 });
    for (const flags of [0, 0x8000]) {
      const header = { ciaddr: ip('10.0.1.100'), giaddr: ip('10.0.1.1'), kind: { ...os.kind, flags } };
      await socket.send(message(REQUEST, { ...os, ...header }), { address: '10.0.0.1', port: 67 });
    }
    await lab.clock.advance(0);
    expect([via.heard.slice(2).map(typeOf), strayed]).toEqual([[ACK, ACK], 0]);
  });

  it('§4.1: without giaddr and ciaddr a reply is broadcast, with the flag or without', async () => {
    const lab = await labWith();
    const near = await localClient(lab, lab.network.host('near', '10.0.0.200/24'));
    for (const flags of [0x8000, 0])
      expect(typeOf(await near.send(message(DISCOVER, { ...os, kind: { ...os.kind, flags } })))).toBe(OFFER);
  });

  it('§2: what only a server sends is not answered', async () => {
    const { lab, via } = await remoteLab();
    for (const type of [OFFER, ACK, NAK]) expect(await via.ask(type, os)).toBeUndefined();
    const decoded = decodeDhcp(message(DISCOVER, { ...os, giaddr: ip('10.0.1.1') }));
    if (!decoded.ok) throw new Error(decoded.reason);
    const socket = await via.host.bindUdp({ address: '10.0.1.1', port: 6_767 });
    await socket.send(encodeDhcp({ ...decoded.value, op: 2 }), { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    expect(via.heard).toEqual([]);
  });

  it('§4.1: an overloaded option 52 of a client is read', async () => {
    const { lab, via } = await remoteLab();
    const file = new Uint8Array(128);
    file.set([50, 4, 10, 0, 1, 150, 255]);
    const decoded = decodeDhcp(message(DISCOVER, { ...os, giaddr: ip('10.0.1.1') }));
    if (!decoded.ok) throw new Error(decoded.reason);
    const { options } = decoded.value;
    const data = encodeDhcp({ ...decoded.value, file, options: [...options, { code: 52, data: Uint8Array.of(1) }] });
    const socket = await via.host.bindUdp({ address: '10.0.1.1', port: 6_767 });
    await socket.send(data, { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    expect(via.heard.map(({ packet }) => packet.yiaddr)).toEqual(['10.0.1.150']);
  });

  it('Linux "ip=dhcp", which has no option 61, gets its lease byte for byte', async () => {
    const { via } = await remoteLab();
    const kernel = {
      mac: MAC_1,
      kind: {
        flags: 0,
        options: [textOption(60, 'Linux ipconfig'), { code: 55, data: Uint8Array.of(1, 3, 6, 12, 15, 17, 26, 28, 42) }],
      },
    };
    const ack = await bound(via, kernel);
    const hex = Buffer.from(ack.bytes).toString('hex');
    expect(hex.slice(0, 88)).toBe(
      '02010600' +
        '00001234' +
        '00000000' +
        '00000000' +
        '0a000164' +
        '00000000' +
        '0a000101' +
        '525400000101' +
        '0'.repeat(20),
    );
    const options = hex.slice(480).replace(/(?:00)*$/, '');
    const expected = [
      '350105 36040a000001 330400000258 3a040000012c 3b040000020d',
      '0104ffffff00 1c040a0001ff 03040a0001fe 06040a000035 2a040a00007b',
      `52${OPTION_82.data.length.toString(16).padStart(2, '0')}${Buffer.from(OPTION_82.data).toString('hex')}ff`,
    ];
    expect(options).toBe(expected.join('').replaceAll(' ', ''));
  });
});

describe('mode proxy', () => {
  const proxy = { mode: 'proxy', pool: undefined } as const;
  const edk2 = { mac: MAC_1, kind: CLIENTS.edk2 };

  it('§4.3.1: an offer to who boots has neither address nor lease time, and one to who does not is not made', async () => {
    const { via } = await remoteLab(proxy);
    const offer = await via.ask(DISCOVER, edk2);
    expect(offer?.packet).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '0.0.0.0', xid: XID });
    for (const code of [1, 3, 51, 58, 59]) expect(codes(offer)).not.toContain(code);
    expect(await via.ask(DISCOVER, os)).toBeUndefined();
  });

  it('§4.3.2–§4.3.5: REQUEST, DECLINE, RELEASE and INFORM are the other server’s, whosever identifier they have', async () => {
    const { lab, via } = await remoteLab(proxy);
    for (const type of [REQUEST, DECLINE, RELEASE, INFORM])
      for (const options of [[wanted('10.0.1.100')], [wanted('10.0.1.100'), server('10.0.0.1')]])
        expect(await via.ask(type, edk2, options)).toBeUndefined();
    expect(await unicast(lab, '10.0.1.100', REQUEST)).toBeUndefined();
  });
});

describe('mode reservation-only', () => {
  const only = {
    mode: 'reservation-only',
    pool: undefined,
    reservations: [{ mac: MAC_1, address: '10.0.1.7' }],
  } as const;

  it('§4.3.1, §4.3.2: the reserved address in every state, and a NAK for any other', async () => {
    const { lab, via } = await remoteLab({ ...only, reservations: [...only.reservations] });
    expect((await bound(via)).packet.yiaddr).toBe('10.0.1.7');
    expect(typeOf(await via.ask(REQUEST, os, [wanted('10.0.1.7')]))).toBe(ACK);
    expect(typeOf(await unicast(lab, '10.0.1.7', REQUEST))).toBe(ACK);
    expect(typeOf(await via.ask(REQUEST, os, [wanted('10.0.1.50')]))).toBe(NAK);
  });

  it('§4.3.2: other clients are another server’s in every state: silence, and never a NAK', async () => {
    const { lab, via } = await remoteLab({ ...only, reservations: [...only.reservations] });
    for (const type of [DISCOVER, REQUEST, DECLINE, RELEASE, INFORM])
      for (const options of [[], [wanted('10.0.9.9')], [wanted('10.0.1.7'), server('10.0.0.1')]])
        expect(await via.ask(type, other, options)).toBeUndefined();
    expect(await unicast(lab, '10.0.1.7', REQUEST, [], other)).toBeUndefined();
  });
});
