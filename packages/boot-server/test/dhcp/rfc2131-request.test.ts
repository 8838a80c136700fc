import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { localClient, selecting } from '../support/dhcp-client.ts';
import { fieldText, ip, message } from '../support/dhcp-messages.ts';
import { os, other, XID, labWith, remoteLab, typeOf, wanted, server, codes, bound, unicast } from './rfc2131-lab.ts';

// Rules of RFC 2131 that concern a server, in its order. A name begins with the section that says so.

const { DISCOVER, REQUEST, ACK, NAK } = MessageType;
describe('mode server: a REQUEST', () => {
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
});
