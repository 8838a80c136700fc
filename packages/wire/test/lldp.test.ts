import { describe, expect, test } from 'vitest';
import {
  chassisMacTlv,
  decodeChassisId,
  decodeLldp,
  decodeManagementAddress,
  decodeOrganization,
  decodePortId,
  encodeLldp,
  LldpDestination,
  portInterfaceNameTlv,
  portLocalTlv,
  portMacTlv,
  readNeighbour,
  textTlv,
  ttlTlv,
  type LldpFrame,
  type LldpTlv,
} from '../src/index.ts';
import { accepted, ascii, bytes, mac, refused } from './helpers.ts';

const FRAME: LldpFrame = {
  destination: mac(LldpDestination.NEAREST_BRIDGE),
  source: mac('52:54:00:00:0a:01'),
  tlvs: [
    chassisMacTlv(mac('52:54:00:00:0a:00')),
    portLocalTlv('Ethernet0'),
    ttlTlv(120),
    textTlv(4, 'Eth1/1'),
    textTlv(5, 'leaf1'),
    textTlv(6, 'SONiC'),
  ],
  end: true,
  trailing: new Uint8Array(0),
};
const WIRE = bytes(`0180c200000e 525400000a01 88cc
  0207 04 525400000a00  040a 07 45746865726e657430  0602 0078
  0806 457468312f31  0a05 6c65616631  0c05 534f4e6943  0000`);

const minimal: readonly LldpTlv[] = FRAME.tlvs.slice(0, 3);

describe('frames both ways', () => {
  test("a SONiC leaf's", () => {
    expect(encodeLldp(FRAME)).toEqual(WIRE);
    expect(decodeLldp(WIRE)).toEqual({ ok: true, value: FRAME });
  });
  test.each([
    ['filled to an Ethernet frame', { ...FRAME, trailing: new Uint8Array(12) }],
    ['without End', { ...FRAME, end: false }],
    ['with a priority tag', { ...FRAME, vlanTag: 0xe000 }],
    [
      'with reserved types and an empty value',
      { ...FRAME, tlvs: [...minimal, { type: 126, value: new Uint8Array(0) }] },
    ],
    ['with a value of 511 bytes', { ...FRAME, tlvs: [{ type: 127, value: new Uint8Array(511) }] }],
    ['with nothing in it', { ...FRAME, tlvs: [], end: false }],
  ])('%s', (_, frame: LldpFrame) => expect(decodeLldp(encodeLldp(frame))).toEqual({ ok: true, value: frame }));
  test('512 bytes throw', () =>
    expect(() => encodeLldp({ ...FRAME, tlvs: [{ type: 127, value: new Uint8Array(512) }] })).toThrow('not 512'));
  test('ports are named by MAC and by interface as well', () => {
    expect(accepted(decodePortId(portMacTlv(mac('52:54:00:00:01:01')).value))).toMatchObject({
      kind: 'mac',
      text: '52:54:00:00:01:01',
    });
    expect(accepted(decodePortId(portInterfaceNameTlv('eth0').value))).toMatchObject({
      kind: 'interfaceName',
      text: 'eth0',
    });
  });
});

describe('a malformed frame is refused with place and reason', () => {
  test.each([
    ['nothing', '', 0, 'more than 0 bytes'],
    ['no ethertype', '0180c200000e 525400000a01 88', 13, 'more than 13'],
    ['a tag and nothing behind', '0180c200000e 525400000a01 8100 0000 88', 17, 'more than 17'],
    ['IPv4', '0180c200000e 525400000a01 0800', 12, 'ethertype 0x800 is not LLDP'],
    ['half a TLV header', '0180c200000e 525400000a01 88cc 02', 14, 'half a header'],
    ['a TLV past the end', '0180c200000e 525400000a01 88cc 0207 04', 14, 'TLV 1 claims 7 bytes, 1 are left'],
    ['an End with a value', '0180c200000e 525400000a01 88cc 0001 00', 14, 'End of LLDPDU has a value of 1 bytes'],
  ])('%s', (_, digits, offset, reason) => refused(decodeLldp(bytes(digits)), offset, reason));
});

describe('identifiers', () => {
  test.each([
    ['04 525400000a01', 'mac', '52:54:00:00:0a:01'],
    ['05 01 0a000001', 'networkAddress', '10.0.0.1'],
    ['05 02 20010db8000000000000000000000001', 'networkAddress', '2001:0db8:0000:0000:0000:0000:0000:0001'],
    ['05 01 0a0000', 'networkAddress', '010a0000'],
    ['05 02 0a000001', 'networkAddress', '020a000001'],
    ['05 06 525400000a01', 'networkAddress', '06525400000a01'],
    ['06 65746830', 'interfaceName', 'eth0'],
    ['07 6c6561663100', 'local', 'leaf1'],
    ['07 0001ff', 'local', '0001ff'],
    ['01 31', 'chassisComponent', '1'],
    ['02 31', 'interfaceAlias', '1'],
    ['03 31', 'portComponent', '1'],
    ['00 31', 'reserved', '1'],
    ['63 31', 'reserved', '1'],
  ])('chassis %s', (digits, kind, text) =>
    expect(accepted(decodeChassisId(bytes(digits)))).toMatchObject({ kind, text }),
  );
  test.each([
    ['01 31', 'interfaceAlias', '1'],
    ['02 31', 'portComponent', '1'],
    ['03 525400000101', 'mac', '52:54:00:00:01:01'],
    ['04 01 0a000001', 'networkAddress', '10.0.0.1'],
    ['05 65746830', 'interfaceName', 'eth0'],
    ['06 0004', 'agentCircuitId', '0004'],
    ['07 45746865726e657430', 'local', 'Ethernet0'],
    ['ff 31', 'reserved', '1'],
  ])('port %s', (digits, kind, text) => expect(accepted(decodePortId(bytes(digits)))).toMatchObject({ kind, text }));
  test('a MAC of five bytes and an id of none are refused', () => {
    refused(decodePortId(bytes('03 5254000001')), 1, 'a MAC address has 6 bytes, not 5');
    refused(decodeChassisId(bytes('07')), 0, 'not 1 bytes in all');
    refused(decodeChassisId(new Uint8Array(257)), 0, 'not 257 bytes in all');
  });
});

describe('neighbour', () => {
  const read = (...more: readonly LldpTlv[]) => readNeighbour({ tlvs: [...minimal, ...more] });
  const tlv = (type: number, digits: string): LldpTlv => ({ type, value: bytes(digits) });

  test('what registering a machine needs', () => {
    expect(accepted(readNeighbour(FRAME))).toMatchObject({
      chassisId: { mac: '52:54:00:00:0a:00' },
      portId: { subtype: 7, text: 'Ethernet0', raw: ascii('Ethernet0') },
      ttlSeconds: 120,
      shutdown: false,
      portDescription: 'Eth1/1',
      systemName: 'leaf1',
      systemDescription: 'SONiC',
      discarded: [],
    });
  });
  test('a TTL of 0 takes everything back', () => {
    const frame = { tlvs: [minimal[0]!, minimal[1]!, ttlTlv(0)] };
    expect(accepted(readNeighbour(frame))).toMatchObject({ ttlSeconds: 0, shutdown: true });
  });
  test.each([
    ['nothing', [], 0, 'the first TLV is not a Chassis ID'],
    ['port first', [minimal[1]!, minimal[0]!, minimal[2]!], 0, 'the first TLV'],
    ['no port', [minimal[0]!], 9, 'the second TLV is not a Port ID'],
    ['no TTL', minimal.slice(0, 2), 21, 'the third TLV is not a Time To Live'],
    ['a chassis id of nothing', [tlv(1, '07'), ...minimal.slice(1)], 2, 'Chassis ID: a subtype'],
    ['a broken port MAC', [minimal[0]!, tlv(2, '0352'), minimal[2]!], 12, 'Port ID: a MAC'],
    ['a TTL of one byte', [...minimal.slice(0, 2), tlv(3, '00')], 21, 'Time To Live has 1 bytes'],
    ['a second chassis id', [...minimal, minimal[0]!], 25, 'TLV 1 is repeated'],
    ['a second TTL', [...minimal, textTlv(5, 'a'), minimal[2]!], 28, 'TLV 3 is repeated'],
  ])('%s is refused', (_, tlvs, offset, reason) => refused(readNeighbour({ tlvs }), offset, reason));

  test('a repeated or malformed optional TLV is discarded alone', () => {
    const neighbour = accepted(
      read(
        textTlv(5, 'first'),
        textTlv(5, 'second'),
        tlv(7, '0014'),
        tlv(8, '00'),
        tlv(127, '0080c2'),
        tlv(7, '00140010'),
      ),
    );
    expect(neighbour).toMatchObject({ systemName: 'first', capabilities: { supported: 0x14, enabled: 0x10 } });
    expect(neighbour.discarded.map(({ reason }) => reason)).toEqual([
      'TLV 5 is repeated',
      'System Capabilities has 2 bytes, not 4',
      'Management Address: an address of 0 bytes is not within 2 to 32',
      'organization TLV: an OUI and a subtype are expected, not 3 bytes',
    ]);
    expect(neighbour.discarded[0]!.offset).toBe(25 + 7);
  });
  test('reserved types are kept', () => expect(accepted(read(tlv(99, '01'))).unknown).toEqual([tlv(99, '01')]));
  test('management addresses of every family', () => {
    const v4 = tlv(8, '05 01 0a000001 02 00000003 00');
    const v6 = tlv(8, '11 02 20010db8000000000000000000000001 01 00000000 02 2b06');
    const ethernet = tlv(8, '07 06 525400000a01 03 00000001 00');
    expect(accepted(read(v4, v6, ethernet)).managementAddresses).toEqual([
      { family: 1, text: '10.0.0.1', ipv4: '10.0.0.1', interfaceSubtype: 2, interfaceNumber: 3, oid: bytes('') },
      {
        family: 2,
        text: '2001:0db8:0000:0000:0000:0000:0000:0001',
        interfaceSubtype: 1,
        interfaceNumber: 0,
        oid: bytes('2b06'),
      },
      { family: 6, text: '525400000a01', interfaceSubtype: 3, interfaceNumber: 1, oid: bytes('') },
    ]);
    expect(accepted(decodeManagementAddress(bytes('03 01 0a00 02 00000003 00')))).not.toHaveProperty('ipv4');
    refused(decodeManagementAddress(bytes('05 01 0a000001 02 0000')), 7, 'interface number needs 4');
    refused(decodeManagementAddress(bytes('21')), 0, 'an address of 33 bytes');
  });
});

describe('organization TLVs', () => {
  test.each([
    ['0080c2 01 0fa0', { kind: 'portVlan', vlanId: 4000 }],
    ['0080c2 02 06 0fa0', { kind: 'protocolVlan', supported: true, enabled: true, vlanId: 4000 }],
    ['0080c2 03 0fa0 03 505845', { kind: 'vlanName', vlanId: 4000, name: 'PXE' }],
    ['0080c2 07 03 00000007', { kind: 'linkAggregation', capable: true, enabled: true, portId: 7 }],
    ['0080c2 04 00', { kind: 'other', subtype: 4, data: bytes('00') }],
    [
      '00120f 01 03 6c11 001e',
      { kind: 'macPhy', autonegotiationSupported: true, autonegotiationEnabled: true, advertised: 0x6c11, mauType: 30 },
    ],
    ['00120f 02 060104', { kind: 'other', oui: '00120f' }],
    ['00120f 03 01 00000000', { kind: 'linkAggregation', capable: true, enabled: false, portId: 0 }],
    ['00120f 04 2328', { kind: 'maxFrameSize', maxFrameBytes: 9000 }],
    ['0012bb 01 003f 04', { kind: 'medCapabilities', capabilities: 0x3f, deviceType: 4 }],
    ['0012bb 08 5a31 00', { kind: 'medInventory', item: 'serialNumber', text: 'Z1' }],
    ['0012bb 02 00', { kind: 'other' }],
    ['334455 2c 2d2d2d', { kind: 'other', oui: '334455', subtype: 44, data: bytes('2d2d2d') }],
  ])('%s', (digits, expected) => expect(accepted(decodeOrganization(bytes(digits)))).toMatchObject(expected));
  test.each([
    ['0080c2 01 00', 4, '0080c2 subtype 1: has 1 bytes, not 2'],
    ['0080c2 02 00', 4, 'has 1 bytes, not 3'],
    ['0080c2 03 0fa0 09 50', 7, 'VLAN name needs 9'],
    ['00120f 01 00', 4, 'has 1 bytes, not 5'],
    ['00120f 03 00', 4, 'has 1 bytes, not 5'],
    ['00120f 04 00', 4, 'has 1 bytes, not 2'],
    ['0012bb 01 00', 4, 'has 1 bytes, not 3'],
  ])('%s is refused', (digits, offset, reason) => refused(decodeOrganization(bytes(digits)), offset, reason));
});
