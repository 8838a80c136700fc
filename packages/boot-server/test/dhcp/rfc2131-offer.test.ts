import { describe, expect, it } from 'vitest';
import { MessageType, type DhcpOption } from '@ingot/wire';
import { localClient, selecting } from '../support/dhcp-client.ts';
import { message, type Reply } from '../support/dhcp-messages.ts';
import { os, other, XID, remoteLab, typeOf, wanted, server, codes, bound, unicast } from './rfc2131-lab.ts';

// Rules of RFC 2131 that concern a server, in its order. A name begins with the section that says so.

const { DISCOVER, OFFER, REQUEST, RELEASE } = MessageType;
describe('mode server: an OFFER', () => {
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
});
