import { describe, expect, test } from 'vitest';
import {
  bootFileParametersOption,
  decodeDhcp6,
  decodeDhcp6Envelope,
  decodeDhcp6Options,
  decodeDomainNames,
  decodeDuid,
  decodeIaAddress,
  decodeIaPrefix,
  decodeIdentityAssociation,
  Dhcp6MessageType,
  dhcp6MessageTypeName,
  Dhcp6OptionCode,
  dhcp6OptionsLength,
  dhcp6StatusOption,
  dhcp6TextOption,
  dhcp6Uint16sOption,
  dhcp6Uint32Option,
  dhcp6Uint8Option,
  dhcp6UserClassOption,
  dhcp6VendorClassOption,
  dhcp6VendorOptionsOption,
  domainListOption,
  duidText,
  encodeDhcp6,
  encodeDhcp6Reply,
  encodeDomainNames,
  encodeDuid,
  iaAddressOption,
  iaPrefixOption,
  identityAssociationOption,
  ipv6Option,
  MAX_DHCP6_RELAYS,
  macOfDuid,
  ntpServersOption,
  parseDuid,
  parseIpv6,
  readBootFileParameters,
  readBootFileUrl,
  readClientLinkLayerAddress,
  readDhcp6ClientArchs,
  readDhcp6ClientInterface,
  readDhcp6RemoteId,
  readDhcp6Seconds,
  readDhcp6Status,
  readDhcp6UserClasses,
  readDhcp6VendorClasses,
  readDhcp6VendorOptions,
  readDomainList,
  readElapsedMs,
  readIaAddresses,
  readIdentityAssociations,
  readIpv6s,
  readNtpServers,
  readOptionRequest,
  readPreference,
  type Dhcp6Message,
  type Dhcp6Option,
  type Duid,
  type Ipv6,
} from '../src/index.ts';
import * as golden from './dhcpv6-goldens.ts';
import { accepted, ascii, bytes, refused } from './helpers.ts';

const ip6 = (text: string): Ipv6 => accepted(parseIpv6(text));
const one = (code: number, digits: string): Dhcp6Option[] => [{ code, data: bytes(digits) }];
const message = (digits: string): Dhcp6Message => accepted(decodeDhcp6Envelope(bytes(digits))).message;

describe('what the foreign programs meant is what is read', () => {
  test("dhclient's SOLICIT, through dhcrelay", () => {
    const wire = bytes(golden.relayed('0c', golden.SOLICIT));
    const { message: solicit, relays } = accepted(decodeDhcp6Envelope(wire));
    expect(relays).toMatchObject([
      { type: 12, hopCount: 0, linkAddress: '2001:db8:1::1', peerAddress: 'fe80::5054:ff:fe00:101' },
    ]);
    expect(solicit).toMatchObject({ type: Dhcp6MessageType.SOLICIT, transactionId: 0x99d835 });
    const { options } = solicit;
    expect(options.map(({ code }) => code)).toEqual([1, 6, 8, 61, 15, 3]);
    expect(accepted(readOptionRequest(options))).toEqual([23, 24]);
    expect(accepted(readElapsedMs(options))).toBe(0);
    expect(accepted(readDhcp6ClientArchs(options))).toEqual([7, 16]);
    expect(accepted(readDhcp6UserClasses(options))).toEqual(['iPXE']);
    expect(accepted(readIdentityAssociations(options))).toEqual([
      { kind: 'na', iaid: 0x101, t1: 3600, t2: 5400, options: [] },
    ]);
    const reply = encodeDhcp6Reply({ ...solicit, type: Dhcp6MessageType.ADVERTISE }, relays);
    expect(reply).toEqual(bytes(golden.relayed('0d', golden.SOLICIT.replace('01', '02'))));
  });

  test("Kea's ADVERTISE", () => {
    const { options } = message(golden.relayed('0d', golden.ADVERTISE));
    const [ia] = accepted(readIdentityAssociations(options));
    expect(ia).toMatchObject({ t1: 1000, t2: 2000 });
    expect(accepted(readIaAddresses(ia!))).toEqual([
      { address: '2001:db8:1::100', preferredLifetime: 3000, validLifetime: 4000, options: [] },
    ]);
    expect(accepted(readIpv6s(options, Dhcp6OptionCode.DNS_SERVERS))).toEqual(['2001:db8::53']);
    expect(accepted(readDomainList(options))).toEqual(['rack.example', 'example']);
  });

  test("Kea's REPLY to a RELEASE says Success, inside and outside", () => {
    const { options } = message(golden.RELEASED);
    const [ia] = accepted(readIdentityAssociations(options));
    expect(accepted(readDhcp6Status(options))).toEqual({ code: 0, message: 'Summary status for all processed IA_NAs' });
    expect(accepted(readDhcp6Status(ia!.options)).message).toMatch('Lease released');
  });
});

describe('every golden message', () => {
  const { relayed, ...messages } = golden;
  test.each(Object.entries(messages))('%s is built from what was read, byte for byte', (_, digits) => {
    for (const wire of [bytes(digits), bytes(relayed('0c', digits)), bytes(relayed('0d', digits))]) {
      expect(encodeDhcp6(accepted(decodeDhcp6(wire)))).toEqual(wire);
    }
    for (const option of message(digits).options) {
      if (option.code !== Dhcp6OptionCode.IA_NA) continue;
      const ia = accepted(decodeIdentityAssociation('na', option.data));
      expect(identityAssociationOption(ia)).toEqual(option);
      for (const inner of ia.options.filter(({ code }) => code === Dhcp6OptionCode.IA_ADDRESS)) {
        expect(iaAddressOption(accepted(decodeIaAddress(inner.data)))).toEqual(inner);
      }
    }
  });
});

describe('messages', () => {
  test('types have the names of the RFC', () =>
    expect([1, 11, 12, 42].map(dhcp6MessageTypeName)).toEqual([
      'SOLICIT',
      'INFORMATION-REQUEST',
      'RELAY-FORW',
      'type 42',
    ]));
  test.each([
    ['nothing', '', 0, 'at least 4 bytes, not 0'],
    ['three bytes', '010203', 3, 'at least 4 bytes, not 3'],
    ['a relay message without a peer', `0c00 ${'00'.repeat(16)}`, 18, 'at least 34 bytes, not 18'],
    ['half an option header', '01 000001 0001', 4, 'an option needs 4 bytes, 2 are left'],
    ['an option past the end', '01 000001 0006 0002 0017 0008 0003 0000', 10, 'option 8 claims 3 bytes, 2 are left'],
    ['257 options', `01 000001 ${'0000 0000'.repeat(257)}`, 4 + 256 * 4, 'more than 256 options'],
  ])('%s is refused', (_, digits, offset, reason) => refused(decodeDhcp6(bytes(digits)), offset, reason));
  test('an unknown type and an unknown option are carried', () =>
    expect(message('2a 0000ff ffff 0001 61')).toEqual({
      kind: 'message',
      type: 42,
      transactionId: 255,
      options: [{ code: 0xffff, data: ascii('a') }],
    }));
  test('the length of options is known before they are written', () =>
    expect(dhcp6OptionsLength(accepted(decodeDhcp6Options(bytes('0001 0001 61 0002 0000'))))).toBe(9));
});

describe('relays', () => {
  const HEADER = `00 20010db8000100000000000000000001 fe800000000000000000000000000001`;
  const wrap = (type: string, inner: string, before = ''): string => {
    const length = bytes(inner).length.toString(16).padStart(4, '0');
    return `${type} ${HEADER} ${before} 0009 ${length} ${inner}`;
  };
  const nest = (depth: number): string =>
    Array.from({ length: depth }).reduce<string>((inner) => wrap('0c', inner), golden.INFORMATION_REQUEST);

  test('as many as a message may pass are undone, and the reply goes back through all of them', () => {
    const { relays } = accepted(decodeDhcp6Envelope(bytes(nest(MAX_DHCP6_RELAYS))));
    expect(relays).toHaveLength(8);
    const back = accepted(decodeDhcp6Envelope(encodeDhcp6Reply(message(golden.REPLY), relays)));
    expect(back.relays.map(({ type }) => type)).toEqual(Array(8).fill(13));
    expect(encodeDhcp6(back.message)).toEqual(bytes(golden.REPLY));
  });
  test('one more is refused', () => refused(decodeDhcp6Envelope(bytes(nest(9))), 8 * 38, 'more than 8 relays'));
  test('interface id and source port come back, remote id and others do not', () => {
    const before = '0012 0002 0a0b  0025 0005 00000009 61  0087 0002 0000  004f 0008 0001 525400000101';
    const { relays } = accepted(decodeDhcp6Envelope(bytes(wrap('0c', golden.SOLICIT, before))));
    const [relay] = relays;
    expect(accepted(readDhcp6RemoteId(relay!.options))).toEqual({ enterprise: 9, id: ascii('a') });
    expect(accepted(readClientLinkLayerAddress(relay!.options))).toEqual({ htype: 1, address: bytes('525400000101') });
    const back = accepted(decodeDhcp6(encodeDhcp6Reply(message(golden.REPLY), relays)));
    expect(back.options.map(({ code }) => code)).toEqual([18, 135, 9]);
  });
  test('what is wrong inside is found where it is', () => {
    refused(
      decodeDhcp6Envelope(bytes(wrap('0c', '01 000001 0001 0001'))),
      38 + 4,
      'option 1 claims 1 bytes, 0 are left',
    );
    refused(decodeDhcp6Envelope(bytes(`0c ${HEADER}`)), 0, 'without the message');
    refused(decodeDhcp6Envelope(bytes(wrap('0c', wrap('0d', golden.REPLY)))), 38, 'a relay reply in a relay forward');
  });
});

describe('DUIDs', () => {
  const llt = '0001 0001 3293f014 525400000101';
  test.each<[string, string, Duid]>([
    ['LLT', llt, { kind: 'llt', htype: 1, time: 0x3293f014, linkLayer: bytes('525400000101') }],
    ['EN', '0002 0000ab11 d29ef1b2', { kind: 'en', enterprise: 43793, identifier: bytes('d29ef1b2') }],
    ['LL', '0003 0001 525400000101', { kind: 'll', htype: 1, linkLayer: bytes('525400000101') }],
    ['UUID', `0004 ${'0f'.repeat(16)}`, { kind: 'uuid', bytes: bytes('0f'.repeat(16)) }],
    ['an unknown type', '0009 61', { kind: 'other', type: 9, data: ascii('a') }],
    ['an LLT without an address', '0001 0001 3293f014', { kind: 'other', type: 1, data: bytes('0001 3293f014') }],
    ['an EN without an identifier', '0002 00000009', { kind: 'other', type: 2, data: bytes('00000009') }],
    ['an LL without an address', '0003 0001', { kind: 'other', type: 3, data: bytes('0001') }],
    ['a UUID of 15 bytes', `0004 ${'0f'.repeat(15)}`, { kind: 'other', type: 4, data: bytes('0f'.repeat(15)) }],
  ])('%s both ways', (_, digits, duid) => {
    expect(accepted(decodeDuid(bytes(digits)))).toEqual(duid);
    expect(encodeDuid(duid)).toEqual(bytes(digits));
  });
  test.each(['', '0003', '00'.repeat(131)])('%s is none', (digits) =>
    refused(decodeDuid(bytes(digits)), 0, 'a DUID has 3 to 130 bytes'),
  );
  test('text and back', () => {
    expect(duidText(bytes(llt))).toBe('00:01:00:01:32:93:f0:14:52:54:00:00:01:01');
    expect(accepted(parseDuid('00:01:00:01:32:93:F0:14:52:54:00:00:01:01'))).toEqual(bytes(llt));
    expect(accepted(parseDuid('000300015254-0000-0101'))).toEqual(bytes('00030001525400000101'));
    for (const text of ['', '0', '00:03', 'zz:03:00:01', '00'.repeat(131)]) refused(parseDuid(text), 0, 'is no DUID');
  });
  test('the MAC in one', () => {
    const mac = (digits: string): unknown => macOfDuid(accepted(decodeDuid(bytes(digits))));
    expect(mac(llt)).toBe('52:54:00:00:01:01');
    expect(mac('0003 0001 525400000101')).toBe('52:54:00:00:01:01');
    expect([mac('0003 0020 525400000101'), mac('0003 0001 5254000001'), mac('0009 61')]).toEqual(
      Array(3).fill(undefined),
    );
  });
});

describe('identity associations', () => {
  test('a prefix both ways', () => {
    const option = iaPrefixOption({
      prefix: ip6('2001:db8:7::'),
      prefixLength: 56,
      preferredLifetime: 1,
      validLifetime: 2,
      options: [],
    });
    expect(option.data).toEqual(bytes('00000001 00000002 38 20010db8000700000000000000000000'));
    expect(iaPrefixOption(accepted(decodeIaPrefix(option.data)))).toEqual(option);
    const ia = identityAssociationOption({ kind: 'pd', iaid: 7, t1: 0, t2: 0, options: [option] });
    expect(ia.code).toBe(Dhcp6OptionCode.IA_PD);
    const [read] = accepted(readIdentityAssociations([{ code: 9, data: bytes('') }, ia]));
    expect(read).toMatchObject({ kind: 'pd', iaid: 7 });
    expect(accepted(readIaAddresses(read!))).toEqual([]);
  });
  test('malformed ones are refused', () => {
    refused(readIdentityAssociations(one(3, '00000001')), 0, 'IA_NA has 4 bytes, not 12 or more');
    refused(readIdentityAssociations(one(25, '00000001')), 0, 'IA_PD has 4 bytes');
    refused(decodeIdentityAssociation('na', bytes(`${'00'.repeat(12)} 0005 0001`)), 12, 'option 5 claims 1 bytes');
    refused(readIaAddresses({ kind: 'na', iaid: 1, t1: 0, t2: 0, options: one(5, '00') }), 0, 'IAADDR has 1 bytes');
    refused(decodeIaPrefix(bytes('00')), 0, 'IAPREFIX has 1 bytes');
    refused(decodeIaPrefix(bytes(`${'00'.repeat(8)} 81 ${'00'.repeat(16)}`)), 8, 'a prefix of 129 bits');
  });
});

describe('readers', () => {
  test('what is absent is undefined, or none', () => {
    const absent = [
      readDhcp6Status([]),
      readDhcp6UserClasses([]),
      readBootFileParameters([]),
      readDhcp6RemoteId([]),
      readNtpServers([]),
      readOptionRequest([]),
      readDhcp6ClientInterface([]),
      readIpv6s([], 23),
      readDomainList([]),
      readBootFileUrl([]),
      readClientLinkLayerAddress([]),
    ];
    expect(absent).toEqual(absent.map(() => undefined));
    expect(accepted(readDhcp6VendorClasses([]))).toEqual([]);
    expect(accepted(readDhcp6VendorOptions([]))).toEqual([]);
  });
  test('numbers of their exact length', () => {
    expect(accepted(readPreference([dhcp6Uint8Option(7, 255)]))).toBe(255);
    expect(accepted(readElapsedMs([dhcp6Uint16sOption(8, [0xffff])]))).toBe(655_350);
    expect(accepted(readDhcp6Seconds([dhcp6Uint32Option(32, 86_400)], 32))).toBe(86_400);
    expect(accepted(readDhcp6ClientInterface(one(62, '010310')))).toEqual({ type: 1, major: 3, minor: 16 });
    refused(readPreference(one(7, '')), 0, 'option 7 has 0 bytes, not 1');
    refused(readOptionRequest(one(6, '001700')), 0, 'option 6 has 3 bytes, not two for each number');
  });
  test('addresses', () => {
    const option = ipv6Option(23, ip6('2001:db8::53'), ip6('2001:db8::54'));
    expect(accepted(readIpv6s([option], 23))).toEqual(['2001:db8::53', '2001:db8::54']);
    refused(readIpv6s(one(23, ''), 23), 0, 'option 23 has 0 bytes');
    refused(readIpv6s(one(23, '20'), 23), 0, 'option 23 has 1 bytes');
  });
  test('status', () => {
    const option = dhcp6StatusOption(2, 'pool is empty');
    expect(accepted(readDhcp6Status([option]))).toEqual({ code: 2, message: 'pool is empty' });
    refused(readDhcp6Status(one(13, '00')), 0, 'not 2 or more');
  });
  test("boot options, and a URL's NUL", () => {
    expect(accepted(readBootFileUrl([dhcp6TextOption(59, 'tftp://[2001:db8::1]/a\0')]))).toBe('tftp://[2001:db8::1]/a');
    expect(accepted(readBootFileParameters([bootFileParametersOption([ascii('abc'), ascii('')])]))).toEqual([
      'abc',
      '',
    ]);
    refused(readBootFileParameters(one(60, '0003 6162')), 2, 'boot file parameter needs 3 bytes, 2 are left');
  });
  test('classes', () => {
    expect(dhcp6UserClassOption([ascii('iPXE')]).data).toEqual(bytes('0004 69505845'));
    refused(readDhcp6UserClasses(one(15, '00')), 0, 'length of user class needs 2 bytes');
    // As EDK2 writes it, with Intel's enterprise number.
    const vendor = dhcp6VendorClassOption(343, [ascii('PXEClient:Arch:00007:UNDI:003000')]);
    expect(vendor.data.subarray(0, 8)).toEqual(bytes('00000157 0020 5058'));
    expect(accepted(readDhcp6VendorClasses([...one(1, ''), vendor]))).toEqual([
      { enterprise: 343, classes: ['PXEClient:Arch:00007:UNDI:003000'] },
    ]);
    refused(readDhcp6VendorClasses(one(16, '0000')), 0, 'enterprise number needs 4 bytes');
  });
  test('vendor options', () => {
    const value = { enterprise: 9, options: [{ code: 1, data: ascii('a') }] };
    expect(accepted(readDhcp6VendorOptions([...one(1, ''), dhcp6VendorOptionsOption(value)]))).toEqual([value]);
    refused(readDhcp6VendorOptions(one(17, '00')), 0, 'enterprise number needs 4 bytes');
    refused(readDhcp6VendorOptions(one(17, '00000009 01')), 4, 'an option needs 4 bytes');
    refused(readDhcp6RemoteId(one(37, '000000')), 0, 'enterprise number needs 4 bytes');
  });
  test('a hardware address needs its type', () =>
    refused(readClientLinkLayerAddress(one(79, '0001')), 0, 'not 3 or more'));
});

describe('domain names', () => {
  test('both ways', () => {
    expect(domainListOption(['rack.example.', 'example']).data).toEqual(
      bytes('047261636b 076578616d706c65 00 076578616d706c65 00'),
    );
    expect(accepted(decodeDomainNames(bytes('00 0161 00')))).toEqual(['', 'a']);
  });
  test.each([
    ['a pointer', '0161 c000', 2, 'compressed'],
    ['a label past the end', '0561', 0, 'a label claims 5 bytes, 1 are left'],
    ['a name without its end', '0161 00 0162', 3, 'no end'],
    ['a name of 256 bytes', `00 ${`3f${'61'.repeat(63)}`.repeat(4)} 00`, 1, 'longer than 255'],
  ])('%s is refused', (_, digits, offset, reason) => refused(decodeDomainNames(bytes(digits)), offset, reason));
  test('what DNS cannot have throws', () => {
    expect(() => encodeDomainNames(['a..b'])).toThrow('label of 0 bytes');
    expect(() => encodeDomainNames(['a'.repeat(64)])).toThrow('label of 64 bytes');
    expect(() => encodeDomainNames([Array(128).fill('ab').join('.')])).toThrow('longer than 255');
  });
});

describe('time servers', () => {
  test('all three kinds both ways; others are left out', () => {
    const servers = [
      { kind: 'address', address: ip6('2001:db8::123') },
      { kind: 'multicast', address: ip6('ff05::101') },
      { kind: 'name', name: 'ntp.example' },
    ] as const;
    const option = ntpServersOption(servers);
    expect(accepted(readNtpServers([option]))).toEqual(servers);
    expect(option.data.subarray(0, 6)).toEqual(bytes('0001 0010 2001'));
    expect(accepted(readNtpServers(one(56, '0009 0001 61')))).toEqual([]);
  });
  test.each([
    ['half a sub-option', '0001', 0, 'an option needs 4 bytes'],
    ['a short address', '0001 0001 20', 0, 'an IPv6 address has 16 bytes'],
    ['a bad name', '0003 0001 05', 0, 'a label claims'],
    ['two names', '0003 0006 016100 016200', 0, '2 names where one belongs'],
    ['no name', '0003 0000', 0, '0 names'],
  ])('%s is refused', (_, digits, offset, reason) => refused(readNtpServers(one(56, digits)), offset, reason));
});
