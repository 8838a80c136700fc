import { describe, expect, test } from 'vitest';
import {
  bootFileName,
  decodeDhcp,
  encodeDhcp,
  hardwareAddress,
  macOfDhcpBytes,
  OptionCode,
  packetMac,
  readOptions,
  serverHostName,
  wantsBroadcast,
  type DhcpPacket,
} from '../src/index.ts';
import { accepted, ascii, bytes, ip, refused } from './helpers.ts';

/** A DISCOVER of OVMF's PXE client through a relay, up to the magic cookie. */
const HEADER = `
  01 01 06 01  c3f2a701  0004 8000
  00000000 00000000 00000000 0a000101
  52540000 01010000 00000000 00000000
  ${'00'.repeat(64)}
  ${'00'.repeat(128)}
  63825363`;
const OPTIONS = `
  35 01 01
  39 02 05c0
  5d 02 0007
  5e 03 010300
  61 11 00 8e12374b726e8d4a87da8ad4d775582c
  3c 20 ${hexText('PXEClient:Arch:00007:UNDI:003000')}
  52 0a 01 08 ${hexText('Vlan4000')}
  ff`;
const DISCOVER = bytes(HEADER + OPTIONS);

function hexText(text: string): string {
  return ascii(text).reduce((digits, byte) => digits + byte.toString(16).padStart(2, '0'), '');
}

/** The header with other options, and header bytes changed as told. */
function packetBytes(options: string, changes: Readonly<Record<number, string>> = {}): Uint8Array {
  const packet = bytes(HEADER + options);
  for (const [offset, digits] of Object.entries(changes)) packet.set(bytes(digits), Number(offset));
  return packet;
}

const decoded: DhcpPacket = accepted(decodeDhcp(DISCOVER));

describe('a relayed PXE DISCOVER', () => {
  test('is decoded field by field', () => {
    expect(decoded).toMatchObject({
      op: 1,
      htype: 1,
      hlen: 6,
      hops: 1,
      xid: 0xc3f2a701,
      secs: 4,
      flags: 0x8000,
      ciaddr: '0.0.0.0',
      yiaddr: '0.0.0.0',
      siaddr: '0.0.0.0',
      giaddr: '10.0.1.1',
      end: true,
    });
    expect(decoded.chaddr).toEqual(bytes('525400000101 00000000000000000000'));
    expect(decoded.options.map(({ code }) => code)).toEqual([53, 57, 93, 94, 97, 60, 82]);
    expect(decoded.trailing).toHaveLength(0);
    expect(accepted(packetMac(decoded))).toBe('52:54:00:00:01:01');
    expect(wantsBroadcast(decoded)).toBe(true);
    expect(wantsBroadcast({ ...decoded, flags: 0x7fff })).toBe(false);
  });
  test('is encoded to the same bytes, from a literal too', () => {
    expect(encodeDhcp(decoded)).toEqual(DISCOVER);
    const literal: DhcpPacket = {
      op: 1,
      htype: 1,
      hlen: 6,
      hops: 1,
      xid: 0xc3f2a701,
      secs: 4,
      flags: 0x8000,
      ciaddr: ip('0.0.0.0'),
      yiaddr: ip('0.0.0.0'),
      siaddr: ip('0.0.0.0'),
      giaddr: ip('10.0.1.1'),
      chaddr: bytes('525400000101'),
      sname: new Uint8Array(0),
      file: new Uint8Array(0),
      options: decoded.options,
      end: true,
      trailing: new Uint8Array(0),
    };
    expect(encodeDhcp(literal)).toEqual(DISCOVER);
  });
  test('is decoded alike out of the middle of a larger buffer', () => {
    const around = new Uint8Array(DISCOVER.length + 20);
    around.set(DISCOVER, 7);
    expect(decodeDhcp(around.subarray(7, 7 + DISCOVER.length))).toEqual({ ok: true, value: decoded });
    expect(decodeDhcp(Buffer.from(DISCOVER))).toEqual({ ok: true, value: decoded });
  });
});

describe('what clients and relays in the field do is borne and kept', () => {
  test.each([
    ['no END', '350101'],
    ['no options at all', ''],
    ['zeros behind END, as relays that forward their whole buffer send', `350101ff${'00'.repeat(700)}`],
    ['rubbish behind END', '350101ff deadbeef ff 35'],
    ['PADs before, between and after options', '0000 350101 00 3d0101 000000 ff'],
    ['PADs up to the end of the packet', '350101 000000'],
    ['an empty option', '350101 5000 ff'],
    ['repeated options', '350101 0c0161 0c0162 ff'],
    ['an overload of 0, 4 and of two bytes', '340100 340104 34020101 ff'],
  ])('%s', (_, options) => {
    const packet = packetBytes(options);
    expect(encodeDhcp(accepted(decodeDhcp(packet)))).toEqual(packet);
  });
  test('an address that is no Ethernet MAC', () => {
    const packet = accepted(decodeDhcp(packetBytes('350101ff', { 1: '20', 2: '00' })));
    expect(hardwareAddress(packet)).toHaveLength(0);
    expect(packet.chaddr).toHaveLength(16);
    refused(packetMac(packet), 1, 'hardware type 32 with 0 address bytes is not Ethernet');
    refused(packetMac({ ...packet, htype: 1, hlen: 8 }), 1, 'hardware type 1 with 8');
  });
});

describe('whose a packet is that cannot be read', () => {
  test('is told by its first 34 bytes, whatever follows', () => {
    expect(macOfDhcpBytes(DISCOVER.subarray(0, 34))).toBe('52:54:00:00:01:01');
  });
  test.each([
    ['of fewer bytes', DISCOVER.subarray(0, 33)],
    ['of none', new Uint8Array(0)],
    ['of other hardware', packetBytes('ff', { 1: '20' })],
    ['of an address that is longer', packetBytes('ff', { 2: '08' })],
  ])('is not, %s', (_, packet) => {
    expect(macOfDhcpBytes(packet)).toBeUndefined();
  });
});

describe('a malformed packet is refused with place and reason', () => {
  test.each([
    ['nothing', new Uint8Array(0), 0, 'at least 240 bytes, not 0'],
    ['a header without cookie', DISCOVER.subarray(0, 239), 239, 'at least 240 bytes, not 239'],
    ['op 3', packetBytes('ff', { 0: '03' }), 0, 'op 3 is neither'],
    ['hlen 17', packetBytes('ff', { 2: '11' }), 2, 'hlen 17'],
    ['another cookie', packetBytes('ff', { 236: '63825364' }), 236, 'no DHCP magic cookie'],
    ['a lone tag', packetBytes('350101 0c'), 243, 'option 12 has no length byte'],
    ['an option past the end', packetBytes('350101 0c056162'), 243, 'option 12 claims 5 bytes, 2 are left'],
    [
      'an option past the end of an overloaded file',
      packetBytes('340101 ff', { 234: '0c05' }),
      234,
      'option 12 claims',
    ],
    ['one past the end of an overloaded sname', packetBytes('340102 ff', { 106: '0c05' }), 106, 'option 12 claims'],
  ])('%s', (_, packet, offset, reason) => refused(decodeDhcp(packet), offset, reason));
});

describe('options in one map', () => {
  test('pieces are joined in the order options field, file, sname (RFC 3396)', () => {
    const packet = packetBytes('350101 340103 d20161 00 d20162 ff d20178', {
      108: 'd20163 0c0168 ff d20178',
      44: '00 d20164 ff',
    });
    const options = readOptions(accepted(decodeDhcp(packet)));
    expect([...options.keys()]).toEqual([53, 52, 210, 12]);
    expect(options.get(210)).toEqual(ascii('abcd'));
  });
  test.each([
    ['1 reads file only', '340101', 'af'],
    ['2 reads sname only', '340102', 'as'],
    ['4 reads neither', '340104', 'a'],
    ['repeated reads neither', '340101 340102', 'a'],
  ])('overload %s', (_, overload, expected) => {
    const packet = packetBytes(`${overload} d20161 ff`, { 108: 'd20166 ff', 44: 'd20173 ff' });
    expect(readOptions(accepted(decodeDhcp(packet))).get(210)).toEqual(ascii(expected));
  });
});

describe('boot file and server name', () => {
  const names = { 108: hexText('boot.efi'), 44: hexText('tftp-1') };
  function read(options: string, changes: Readonly<Record<number, string>>): readonly (string | undefined)[] {
    const packet = accepted(decodeDhcp(packetBytes(options, changes)));
    return [bootFileName(packet, readOptions(packet)), serverHostName(packet, readOptions(packet))];
  }
  test('come from the fields', () => expect(read('ff', names)).toEqual(['boot.efi', 'tftp-1']));
  test('come from options 67 and 66 first', () =>
    expect(read(`4303${hexText('a')}0000 4202${hexText('b')}00 ff`, names)).toEqual(['a', 'b']));
  test('are absent if empty everywhere', () => expect(read('4301 00 ff', {})).toEqual([undefined, undefined]));
  test('are not read out of overloaded fields', () =>
    expect(read('340103 ff', { 108: 'ff', 44: 'ff' })).toEqual([undefined, undefined]));
});

describe('encoding by hand', () => {
  test('an option of more than 255 bytes is split', () => {
    const data = Uint8Array.from({ length: 600 }, (_, index) => index);
    const packet = accepted(decodeDhcp(encodeDhcp({ ...decoded, options: [{ code: 210, data }] })));
    expect(packet.options.map((option) => option.data.length)).toEqual([255, 255, 90]);
    expect(readOptions(packet).get(210)).toEqual(data);
  });
  test.each(['chaddr', 'sname', 'file'])('a %s that is too long throws', (field) =>
    expect(() => encodeDhcp({ ...decoded, [field]: new Uint8Array(200) })).toThrow(`${field} has`),
  );
  test('END has no number among the options that are read', () =>
    expect(readOptions(decoded).has(OptionCode.END)).toBe(false));
});
