import { describe, expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { checkRows } from '../../src/validate/validate.ts';
import { printFinding } from '../../src/yang/finding.ts';
import { goodLeaf } from '../yang/good-leaf.ts';

const told = (configDb: ConfigDb): readonly string[] => checkRows(configDb).map(printFinding);

test('a good leaf has nothing', () => {
  expect(told(goodLeaf())).toEqual([]);
});

test('rows with the names that every object has are no trouble', () => {
  expect(
    told({ constructor: { toString: {} }, PORT: { valueOf: {} }, VLAN_MEMBER: { 'toString|constructor': {} } }),
  ).toEqual([]);
});

test('a table without rows is a warning', () => {
  expect(told({ VLAN: {} })).toEqual([expect.stringMatching(/^warning: VLAN: has no rows/)]);
});

describe('addresses', () => {
  const at = (vrfs: Readonly<Record<string, string>>, ...addresses: readonly string[]): ConfigDb => ({
    INTERFACE: {
      ...Object.fromEntries(addresses.map((key) => [key.split('|')[0] ?? '', {}])),
      ...Object.fromEntries(Object.entries(vrfs).map(([name, vrf]) => [name, { vrf_name: vrf }])),
      ...Object.fromEntries(addresses.map((key) => [key, {}])),
    },
  });

  test.each([
    [
      'two of one subnet',
      at({}, 'a|10.0.0.1/24', 'b|10.0.0.2/24'),
      'b|10.0.0.2/24: 10.0.0.2/24 overlaps with 10.0.0.1/24 of a in the same VRF',
    ],
    [
      'one in a larger one',
      at({}, 'a|10.0.0.1/8', 'b|10.9.9.1/24', 'c|11.0.0.1/24'),
      'b|10.9.9.1/24: 10.9.9.1/24 overlaps with 10.0.0.1/8 of a in the same VRF',
    ],
    [
      'the larger one last',
      at({}, 'a|10.9.9.1/24', 'b|10.0.0.1/8'),
      'a|10.9.9.1/24: 10.9.9.1/24 overlaps with 10.0.0.1/8 of b in the same VRF',
    ],
    [
      'one address twice',
      at({}, 'a|10.0.0.1/24', 'b|10.0.0.1/32'),
      'b|10.0.0.1/32: 10.0.0.1/32 is the address of a already',
    ],
    [
      'IPv6, however written',
      at({}, 'a|2001:db8::1/64', 'b|2001:DB8:0::1/64'),
      'b|2001:DB8:0::1/64: 2001:DB8:0::1/64 is the address of a already',
    ],
    [
      'one VRF',
      at({ a: 'Vrf1', b: 'Vrf1' }, 'a|10.0.0.1/24', 'b|10.0.0.2/24'),
      'b|10.0.0.2/24: 10.0.0.2/24 overlaps with 10.0.0.1/24 of a in the same VRF',
    ],
  ])('overlap: %s', (_what, configDb, words) => {
    expect(told(configDb)).toEqual([`INTERFACE|${words}`]);
  });

  test.each([
    ['different VRFs', at({ a: 'Vrf1' }, 'a|10.0.0.1/24', 'b|10.0.0.1/24')],
    ['neighbours', at({}, 'a|10.0.0.1/25', 'b|10.0.0.129/25', 'c|10.0.1.1/24')],
    ['a host in a subnet', at({}, 'a|10.0.0.1/24', 'b|10.0.0.2/32')],
    ['link-local addresses', at({}, 'a|fe80::1/64', 'b|fe80::1/64')],
    ['the two of a /31', at({}, 'a|10.0.0.0/31', 'b|10.0.0.2/31')],
    ['what is no address', at({}, 'a|x', 'b|x', 'c|10.0.0.1/33')],
  ])('do not: %s', (_what, configDb) => {
    expect(told(configDb)).toEqual([]);
  });

  test('of the management port meet others only without a VRF of its own', () => {
    const configDb = {
      LOOPBACK_INTERFACE: { Loopback0: {}, 'Loopback0|10.0.0.1/32': {} },
      MGMT_INTERFACE: { 'eth0|10.0.0.1/24': { gwaddr: '10.0.0.2' } },
    };
    expect(told(configDb)).toHaveLength(1);
    expect(told({ ...configDb, MGMT_VRF_CONFIG: { vrf_global: { mgmtVrfEnabled: 'true' } } })).toEqual([]);
  });

  test('of the management port need a gateway of their kind', () => {
    const words = 'needs a gateway of its own kind, IPv4 or IPv6; write gwaddr';
    const row = (gwaddr: string) => ({ MGMT_INTERFACE: { 'eth0|fd00::1/64': { gwaddr } } });
    expect(told(row('fd00::2'))).toEqual([]);
    expect(told(row('10.0.0.2'))).toEqual([`MGMT_INTERFACE|eth0|fd00::1/64 ip_prefix: ${words}`]);
    expect(told({ MGMT_INTERFACE: { 'eth0|10.0.0.1/24': {} } })).toEqual([
      `MGMT_INTERFACE|eth0|10.0.0.1/24 ip_prefix: ${words}`,
    ]);
  });

  test('that name the network are warned of', () => {
    expect(told(at({}, 'a|10.0.0.0/24'))).toEqual([expect.stringMatching(/^warning: INTERFACE\|a\|10\.0\.0\.0\/24: /)]);
  });

  test('of twenty thousand rows are compared in reasonable time', () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, index) => `e${index}|10.${index >> 12}.${(index >> 4) & 255}.${(index & 15) * 16 + 1}/28`,
    );
    expect(told(at({}, ...rows, 'x|10.255.255.254/8'))).toHaveLength(20_000);
  });
});

describe('a port has one master', () => {
  test.each([
    [
      'a channel and a VLAN',
      { PORTCHANNEL_MEMBER: { 'P1|e': {} }, VLAN_MEMBER: { 'Vlan2|e': {} } },
      'VLAN_MEMBER|Vlan2|e port: e is a member of P1',
    ],
    [
      'two channels',
      { PORTCHANNEL_MEMBER: { 'P1|e': {}, 'P2|e': {} } },
      'PORTCHANNEL_MEMBER|P2|e port: e is a member of P1',
    ],
    [
      'a channel and a subinterface',
      { PORTCHANNEL_MEMBER: { 'P1|e': {} }, VLAN_SUB_INTERFACE: { 'e.10': {} } },
      'VLAN_SUB_INTERFACE|e.10 name: e is a member of P1',
    ],
    [
      'a routed channel in a VLAN',
      { PORTCHANNEL_INTERFACE: { P1: {} }, VLAN_MEMBER: { 'Vlan2|P1': {} } },
      'VLAN_MEMBER|Vlan2|P1 port: P1 is a router port (PORTCHANNEL_INTERFACE)',
    ],
  ])('not %s', (_what, configDb: ConfigDb, words) => {
    expect(told(configDb).join()).toContain(words);
  });

  test('may be tagged in many VLANs, and untagged in one of them', () => {
    const row = (tagging: string) => ({ tagging_mode: tagging });
    expect(
      told({ VLAN_MEMBER: { 'Vlan2|e': row('tagged'), 'Vlan3|e': row('untagged'), 'Vlan4|e': row('tagged') } }),
    ).toEqual([]);
  });
});

describe('a VNI has one place', () => {
  const base: ConfigDb = {
    VLAN: { Vlan2: {}, Vlan3: {} },
    VLAN_INTERFACE: { Vlan2: { vrf_name: 'Vrf1' }, Vlan3: {} },
    VRF: { Vrf1: { vni: '10' }, Vrf2: {} },
    VXLAN_TUNNEL: { t: { src_ip: '10.0.0.1' } },
    VXLAN_TUNNEL_MAP: { 't|a': { vni: '10', vlan: 'Vlan2' }, 't|b': { vni: '20', vlan: 'Vlan3' } },
  };

  test('and a good one is no trouble', () => {
    expect(told(base)).toEqual([]);
  });

  test.each([
    [
      'not two, however written',
      { VXLAN_TUNNEL_MAP: { ...base['VXLAN_TUNNEL_MAP'], 't|c': { vni: '0010', vlan: 'Vlan3' } } },
      ['VXLAN_TUNNEL_MAP|t|c vni: 0010 is that of t|a already', 'VXLAN_TUNNEL_MAP|t|c vlan: Vlan3 has VNI 20 already'],
    ],
    [
      'not two VRFs',
      { VRF: { Vrf1: { vni: '10' }, Vrf2: { vni: '10' } } },
      ['VRF|Vrf2 vni: 10 is that of Vrf1 already'],
    ],
    [
      'not beside a VLAN of another VRF',
      { VLAN_INTERFACE: { Vlan2: { vrf_name: 'Vrf2' }, Vlan3: {} } },
      ['VLAN_INTERFACE|Vlan2 vrf_name: Vlan2 has the VNI of Vrf1, and is in Vrf2; write Vrf1'],
    ],
    [
      'and the switch one tunnel end point',
      { VXLAN_TUNNEL: { t: { src_ip: '10.0.0.1' }, u: { src_ip: '10.0.0.2' } } },
      ['VXLAN_TUNNEL|u: SONiC has one tunnel end point, and t is it; leave one out'],
    ],
  ])('%s', (_what, rows, words) => {
    const found = told({ ...base, ...rows });
    for (const line of words) expect(found).toContain(line);
  });
});

test('an interface’s VRF without a VNI of its own is no trouble, one without a map a warning', () => {
  expect(told({ VRF: { Vrf1: {}, Vrf2: { vni: '0' }, Vrf3: { vni: '7' } } })).toEqual([
    'warning: VRF|Vrf3 vni: 7 routes nothing without a row with it in VXLAN_TUNNEL_MAP',
  ]);
});

test('a name of a megabyte is cut', () => {
  expect(printFinding({ severity: 'error', table: 'A', key: 'x'.repeat(2 ** 20), message: 'y' })).toHaveLength(1_004);
});

test('a name cannot move the cursor of the terminal', () => {
  const shown = printFinding({ severity: 'error', table: 'A', key: '\u001B[2J\u202E', message: 'x\ny' });
  expect(shown).toBe(String.raw`A|\u{1b}[2J\u{202e}: x\u{a}y`);
});
