import { describe, expect, test } from 'vitest';
import {
  decodeSubOptions,
  encodeClasslessRoutes,
  encodeDomainSearch,
  encodeSubOptions,
  encodeUserClassList,
  encodeVendorBlocks,
  messageTypeName,
  optionMapOf,
  readClasslessRoutes,
  readClientId,
  readIpv4,
  readIpv4s,
  readMessageType,
  readParameterList,
  readRelayAgent,
  readText,
  readUint16,
  readUint32,
  readUint8,
  readUserClass,
  readVendorClasses,
  readVendorInformation,
  replyLimitBytes,
  type OptionMap,
} from '../src/index.ts';
import { accepted, ascii, bytes, ip, refused } from './helpers.ts';

const none: OptionMap = new Map();
const one = (code: number, digits: string): OptionMap => optionMapOf([{ code, data: bytes(digits) }]);
const text = (code: number, value: string): OptionMap => optionMapOf([{ code, data: ascii(value) }]);

test('pieces of an option outside a packet are joined, PADs left out', () => {
  const map = optionMapOf([
    { code: 0, data: bytes('') },
    { code: 12, data: ascii('ab') },
    { code: 12, data: ascii('c') },
  ]);
  expect([...map]).toEqual([[12, ascii('abc')]]);
});

describe('readers', () => {
  test('numbers and addresses of their exact length', () => {
    expect(accepted(readUint8(one(46, '08'), 46))).toBe(8);
    expect(accepted(readUint16(one(26, '05dc'), 26))).toBe(1500);
    expect(accepted(readUint32(one(51, 'ffffffff'), 51))).toBe(0xffffffff);
    expect(accepted(readIpv4(one(54, '0a000001'), 54))).toBe('10.0.0.1');
    expect(accepted(readIpv4s(one(6, '0a000001 0a000002'), 6))).toEqual(['10.0.0.1', '10.0.0.2']);
  });
  test('other lengths are refused', () => {
    refused(readUint16(one(26, '05'), 26), 0, 'option 26 has 1 bytes, not 2');
    refused(readIpv4s(one(6, '0a0000'), 6), 0, 'option 6 has 3 bytes');
    refused(readIpv4s(one(6, ''), 6), 0, 'option 6 has 0 bytes');
  });
  test('text loses the NULs at its end', () => expect(accepted(readText(text(67, 'a.efi\0\0'), 67))).toBe('a.efi'));
  test('the parameter list is given as sent', () =>
    expect(accepted(readParameterList(one(55, '0103ff')))).toEqual([1, 3, 255]));
  test('what is absent is undefined', () => {
    const reads = [
      readUint8(none, 1),
      readIpv4s(none, 3),
      readText(none, 67),
      readMessageType(none),
      readParameterList(none),
    ];
    expect([...reads, readRelayAgent(none), readUserClass(none), readClientId(none)]).toEqual(Array(8).fill(undefined));
    expect([readVendorClasses(none), readVendorInformation(none), readClasslessRoutes(none)]).toEqual(
      Array(3).fill(undefined),
    );
  });
  test('message types are those that an RFC names', () => {
    expect(accepted(readMessageType(one(53, '01')))).toBe(1);
    refused(readMessageType(one(53, '2a')), 0, 'message type 42 is unknown');
    refused(readMessageType(one(53, '0101')), 0, 'has 2 bytes');
    expect([messageTypeName(1), messageTypeName(15), messageTypeName(0), messageTypeName(42)]).toEqual([
      'DISCOVER',
      'LEASEQUERYDONE',
      'type 0',
      'type 42',
    ]);
  });
  test.each([
    ['absent', none, 548],
    ["EDK2's first 1472", one(57, '05c0'), 1444],
    ["EDK2's second 65280", one(57, 'ff00'), 65252],
    ['less than everyone must take', one(57, '0100'), 548],
    ['of the wrong length', one(57, '01'), 548],
  ])('the reply limit with option 57 %s', (_, options, limit) => expect(replyLimitBytes(options)).toBe(limit));
});

describe('user class', () => {
  test.each([
    ["iPXE's bare text", ascii('iPXE'), 'raw', ['iPXE']],
    ["pixiecore's bare text", ascii('pixiecore'), 'raw', ['pixiecore']],
    ['bare text with a NUL', ascii('iPXE\0'), 'raw', ['iPXE']],
    ['one length-prefixed class', ascii('\x09pixiecore'), 'list', ['pixiecore']],
    ['two of them', ascii('\x04iPXE\x01x'), 'list', ['iPXE', 'x']],
    ['a list that does not tile', ascii('\x04iPXE\x05x'), 'raw', ['\x04iPXE\x05x']],
    ['a list with an empty class', ascii('\x01a\x00'), 'raw', ['\x01a']],
    ['nothing', ascii(''), 'list', []],
  ] as const)('%s', (_, data, form, classes) =>
    expect(readUserClass(optionMapOf([{ code: 77, data }]))).toEqual({ form, classes }),
  );
  test('a list is written as RFC 3004 has it', () =>
    expect(encodeUserClassList([ascii('iPXE'), ascii('x')])).toEqual(ascii('\x04iPXE\x01x')));
});

test('a client id is a type, an id and the whole', () => {
  expect(readClientId(one(61, '01 525400000101'))).toEqual({
    type: 1,
    id: bytes('525400000101'),
    raw: bytes('01525400000101'),
  });
  expect(readClientId(one(61, ''))).toBeUndefined();
});

describe('relay agent information', () => {
  test("SONiC's dual-ToR set is understood and kept in order", () => {
    const options = one(82, '0108566c616e34303030 0206525400000a01 05040a000100 0b040a000001 0a0180 9700 13020043');
    const agent = accepted(readRelayAgent(options));
    expect(agent).toMatchObject({
      circuitId: ascii('Vlan4000'),
      remoteId: bytes('525400000a01'),
      linkSelection: '10.0.1.0',
      serverIdOverride: '10.0.0.1',
      receivedUnicast: true,
      usesSourcePort: true,
    });
    expect(agent.subOptions.map(({ code }) => code)).toEqual([1, 2, 5, 11, 10, 151, 19]);
    expect(encodeSubOptions(agent.subOptions, 'plain')).toEqual(options.get(82));
  });
  test('codes 0 and 255 are ordinary here (RFC 3046 §2.0)', () =>
    expect(accepted(readRelayAgent(one(82, '000161 ff0162'))).subOptions).toHaveLength(2));
  test('an empty one says nothing', () =>
    expect(accepted(readRelayAgent(one(82, '')))).toEqual({ usesSourcePort: false, subOptions: [] }));
  test.each([
    ['a lone code', '0101ff 02', 3, 'sub-option 2 has no length byte'],
    ['a value past the end', '0109ff', 0, 'sub-option 1 claims 9 bytes, 1 are left'],
    ['a short link selection', '0101ff 05020a00', 3, 'sub-option 5: an IPv4 address has 4 bytes'],
    ['a long override', '0b050a00000100', 0, 'sub-option 11: an IPv4'],
    ['flags of two bytes', '0101ff 0a028000', 3, 'relay flags have 2 bytes'],
  ])('%s is refused', (_, digits, offset, reason) => refused(readRelayAgent(one(82, digits)), offset, reason));
  test('a packet that the relay got by broadcast', () =>
    expect(accepted(readRelayAgent(one(82, '0a0100'))).receivedUnicast).toBe(false));
});

describe('sub-options', () => {
  test('PADs are skipped and END ends where the layout has them', () => {
    const data = bytes('00 060108 00 ff 0909');
    expect(accepted(decodeSubOptions(data, 'padded'))).toEqual([{ code: 6, data: bytes('08') }]);
  });
  test('256 bytes throw', () =>
    expect(() => encodeSubOptions([{ code: 1, data: new Uint8Array(256) }], 'plain')).toThrow('not 256'));
});

describe('vendor-identifying options', () => {
  const data = '0000 0137 03 010161  0000 0009 00';
  test('are read block by block and written the same', () => {
    const blocks = accepted(readVendorInformation(one(125, data)));
    expect(blocks.map(({ enterprise }) => enterprise)).toEqual([311, 9]);
    expect(encodeVendorBlocks(blocks)).toEqual(bytes(data));
    expect(readVendorClasses(one(124, data))).toEqual({ ok: true, value: blocks });
  });
  test('running past the end is refused', () =>
    refused(readVendorClasses(one(124, '00000137 05 61')), 5, 'vendor data needs 5'));
  test('256 bytes throw', () =>
    expect(() => encodeVendorBlocks([{ enterprise: 1, data: new Uint8Array(256) }])).toThrow('not 256'));
});

describe('classless routes', () => {
  // RFC 3442's own examples of destination descriptors.
  const data =
    '00 0a110001  08 0a 0a110001  18 0a0000 0a110001  10 0a11 0a110001  18 0a1b81 0a110001  19 0a1b8180 0a110001  20 0a1b8122 00000000';
  test("RFC 3442's descriptors both ways", () => {
    const routes = accepted(readClasslessRoutes(one(121, data)));
    expect(routes.map(({ destination }) => `${destination.network}/${destination.prefixLength}`)).toEqual([
      '0.0.0.0/0',
      '10.0.0.0/8',
      '10.0.0.0/24',
      '10.17.0.0/16',
      '10.27.129.0/24',
      '10.27.129.128/25',
      '10.27.129.34/32',
    ]);
    expect(routes[0]!.router).toBe(ip('10.17.0.1'));
    expect(encodeClasslessRoutes(routes)).toEqual(bytes(data));
  });
  test('a prefix of 33 bits and a missing router are refused', () => {
    refused(readClasslessRoutes(one(121, '00 0a110001 21 0a1b8122 00 00000000')), 5, 'longer than 32');
    refused(readClasslessRoutes(one(121, '18 0a0000 0a11')), 4, 'router needs 4 bytes, 2 are left');
  });
});

describe('option 119', () => {
  test('names in DNS form, one behind the other', () => {
    expect(accepted(encodeDomainSearch(['rack.example', 'a.b.']))).toEqual(
      bytes('04 7261636b 07 6578616d706c65 00 01 61 01 62 00'),
    );
  });

  test.each([
    '',
    'a..b',
    '-a',
    'a b',
    `${'x'.repeat(64)}.example`,
    Array.from({ length: 9 }, () => 'y'.repeat(30)).join('.'),
  ])('refuses %j', (name) => {
    expect(encodeDomainSearch([name])).toEqual({ ok: false, reason: `${JSON.stringify(name)} is no domain name` });
  });
});
