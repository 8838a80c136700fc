import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { os, other, XID, remoteLab, typeOf, wanted, server, codes, bound, unicast } from './rfc2131-lab.ts';
import { CLIENTS, MAC_1 } from '../support/dhcp-messages.ts';

// Rules of RFC 2131 that concern a server, in its order. A name begins with the section that says so.

const { DISCOVER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM } = MessageType;
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
