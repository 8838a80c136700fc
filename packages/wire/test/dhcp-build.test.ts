import { describe, expect, test } from 'vitest';
import {
  buildDhcp,
  decodeDhcp,
  encodeDhcp,
  ipv4Option,
  messageTypeOption,
  readIpv4,
  readOptions,
  textOption,
  uint16Option,
  uint32Option,
  uint8Option,
  type BuildLimits,
  type DhcpDraft,
  type DhcpOption,
  type DhcpPacket,
} from '../src/index.ts';
import { accepted, bytes, ip } from './helpers.ts';

const AGENT: DhcpOption = { code: 82, data: bytes('0108 566c616e34303030') };

function build(options: readonly DhcpOption[], limits?: BuildLimits, more: Partial<DhcpDraft> = {}): DhcpPacket {
  const packet = accepted(buildDhcp({ op: 2, xid: 1, options, ...more }, limits));
  const wire = encodeDhcp(packet);
  expect(encodeDhcp(accepted(decodeDhcp(wire)))).toEqual(wire);
  return packet;
}

const filler = (code: number, length: number): DhcpOption => ({ code, data: new Uint8Array(length).fill(code) });

test('the offer of the boot server spec, byte by byte', () => {
  const packet = build(
    [
      AGENT,
      ipv4Option(54, ip('10.0.0.1')),
      messageTypeOption(2),
      textOption(60, 'PXEClient'),
      { code: 43, data: bytes('060108ff') },
    ],
    {},
    {
      xid: 0xc3f2a701,
      flags: 0x8000,
      siaddr: ip('10.0.0.1'),
      giaddr: ip('10.0.1.1'),
      chaddr: bytes('525400000101'),
      sname: '10.0.0.1',
      file: '52:54:00:00:01:01/0',
    },
  );
  const expected = new Uint8Array(300);
  expected.set(bytes('02010600 c3f2a701 0000 8000 00000000 00000000 0a000001 0a000101 525400000101'));
  expected.set(new TextEncoder().encode('10.0.0.1'), 44);
  expected.set(new TextEncoder().encode('52:54:00:00:01:01/0'), 108);
  expected.set(
    bytes('63825363 350102 36040a000001 3c09505845436c69656e74 2b04060108ff 520a0108566c616e34303030 ff'),
    236,
  );
  expect(encodeDhcp(packet)).toEqual(expected);
});

test('header fields that are given stand in the packet', () => {
  const given = { htype: 32, hlen: 0, hops: 1, secs: 9, ciaddr: ip('10.0.0.9'), yiaddr: ip('10.0.0.8') };
  expect(build([], {}, given)).toMatchObject(given);
  const full = { sname: new Uint8Array(64).fill(65), file: new Uint8Array(128).fill(66), chaddr: new Uint8Array(16) };
  expect(build([], {}, full)).toMatchObject(full);
});

describe('layout', () => {
  test('message type goes first, relay agent information last, PAD, END and overload are ours', () => {
    const options = [
      AGENT,
      filler(0, 0),
      uint8Option(52, 3),
      uint16Option(26, 1500),
      messageTypeOption(5),
      filler(255, 0),
    ];
    expect(build([...options, uint32Option(51, 600)]).options.map(({ code }) => code)).toEqual([53, 26, 51, 82]);
  });
  test('a packet is padded to 300 bytes or as told, and not beyond', () => {
    expect(encodeDhcp(build([messageTypeOption(2)]))).toHaveLength(300);
    expect(encodeDhcp(build([messageTypeOption(2)], { minBytes: 0 }))).toHaveLength(244);
    expect(encodeDhcp(build([filler(210, 100)]))).toHaveLength(343);
  });
  test('options of exactly the room need no overload, one byte more does', () => {
    expect(encodeDhcp(build([filler(210, 200), filler(211, 103)]))).toHaveLength(548);
    const over = build([filler(210, 200), filler(211, 104)]);
    expect(readOptions(over).get(52)).toEqual(bytes('01'));
    expect(readOptions(over).get(211)).toEqual(filler(211, 104).data);
  });
  test('overflow goes into sname while a file name stands in file', () => {
    const packet = build([messageTypeOption(2), filler(210, 255), filler(211, 60), AGENT], {}, { file: 'boot.efi' });
    expect(readOptions(packet).get(52)).toEqual(bytes('02'));
    expect(readOptions(packet).get(211)).toEqual(filler(211, 60).data);
    expect(packet.options.at(-1)).toEqual(AGENT);
  });
  test('overflow goes into both fields, in pieces if nothing else helps', () => {
    const options = [messageTypeOption(2), filler(210, 255), filler(211, 210), AGENT];
    const packet = build(options);
    const read = readOptions(packet);
    expect(encodeDhcp(packet).length).toBeLessThanOrEqual(548);
    expect(read.get(52)).toEqual(bytes('03'));
    for (const { code, data } of options) expect(read.get(code)).toEqual(data);
  });
  test('a client that takes more gets a long option in plain pieces', () => {
    const packet = build([filler(210, 700)], { maxBytes: 1472 });
    expect(readOptions(packet).has(52)).toBe(false);
    expect(readOptions(accepted(decodeDhcp(encodeDhcp(packet)))).get(210)).toHaveLength(700);
  });
  test('every option comes back whole at every size limit that has room', () => {
    const options = [
      messageTypeOption(2),
      filler(210, 90),
      filler(211, 300),
      filler(212, 0),
      ipv4Option(54, ip('10.0.0.1')),
    ];
    let built = 0;
    for (let maxBytes = 244; maxBytes < 700; maxBytes++) {
      const tried = buildDhcp({ op: 2, xid: 1, options }, { maxBytes });
      if (!tried.ok) continue;
      built++;
      const wire = encodeDhcp(tried.value);
      expect(wire.length).toBeLessThanOrEqual(Math.max(300, maxBytes));
      const read = readOptions(accepted(decodeDhcp(wire)));
      for (const { code, data } of options) expect(read.get(code)).toEqual(data);
      expect(accepted(readIpv4(read, 54))).toBe('10.0.0.1');
    }
    expect(built).toBeGreaterThan(200);
  });
});

describe('what no packet can carry is refused', () => {
  const draft: DhcpDraft = { op: 2, xid: 1, options: [filler(210, 255), filler(211, 255), filler(212, 255)] };
  test('too many options', () => {
    const refusal = { ok: false, reason: 'the options need 771 bytes, there is room for 307' };
    expect(buildDhcp(draft)).toEqual(refusal);
    expect(buildDhcp({ ...draft, sname: 'a', file: 'b' })).toEqual(refusal);
  });
  test('an empty option where not even its header fits', () =>
    expect(buildDhcp({ op: 2, xid: 1, sname: 'a', file: 'b', options: [filler(210, 0)] }, { maxBytes: 242 }).ok).toBe(
      false,
    ));
  test('names as long as their field, which must end in a NUL', () => {
    expect(buildDhcp({ ...draft, sname: 'x'.repeat(64) })).toEqual({
      ok: false,
      reason: 'sname is longer than 63 bytes',
    });
    expect(buildDhcp({ ...draft, file: 'x'.repeat(128) })).toEqual({
      ok: false,
      reason: 'file is longer than 127 bytes',
    });
    expect(buildDhcp({ ...draft, file: new Uint8Array(129) }).ok).toBe(false);
  });
});
