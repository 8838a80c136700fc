import { describe, expect, it } from 'vitest';
import { bytesOfIpv4, encodeDhcp, decodeDhcp, MessageType, textOption } from '@ingot/wire';
import { localClient, OPTION_82 } from '../support/dhcp-client.ts';
import { ip, MAC_1, message } from '../support/dhcp-messages.ts';
import { os, other, labWith, remoteLab, typeOf, wanted, server, codes, bound, unicast } from './rfc2131-lab.ts';

// Rules of RFC 2131 that concern a server, in its order. A name begins with the section that says so.

const { DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM } = MessageType;
describe('mode server: the other messages, and where answers go', () => {
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

  it('§4.3.3: a client that finds every address in use leaves the others enough of the pool', async () => {
    const { lab, via } = await remoteLab({ pool: '10.0.1.100-10.0.1.109' });
    const declined: (string | undefined)[] = [];
    for (let time = 0; time < 12; time += 1) {
      const ack = await bound(via);
      declined.push(ack.packet.yiaddr);
      await via.ask(DECLINE, os, [wanted(ack.packet.yiaddr), server('10.0.0.1')]);
    }
    expect(new Set(declined).size).toBe(9);
    expect(await lab.drops('dhcp', 'too-many-declines')).toBe(4);
    expect((await bound(via, other)).packet.yiaddr).toBe('10.0.1.109');
    await lab.clock.advance(600_000);
    await via.ask(DECLINE, os, [wanted('10.0.1.108'), server('10.0.0.1')]);
    expect((await bound(via)).packet.yiaddr).not.toBe('10.0.1.108');
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

  it('§4.3.5: an ACK to an INFORM has no address for the relay to send it to: it is broadcast', async () => {
    const { via } = await remoteLab();
    const ack = await via.ask(MessageType.INFORM, os);
    expect([typeOf(ack), ack?.packet.yiaddr, ack?.packet.flags]).toEqual([ACK, '0.0.0.0', 0x8000]);
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
