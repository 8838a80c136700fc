import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeLeaves } from '../src/lldp/leaf-rule.ts';
import type { LeafFindings, LeafPolicy } from '../src/lldp/leaf-rule.ts';
import type { Neighbor } from '../src/lldp/neighbors.ts';
import { lldpPorts, setPortMtu } from '../src/lldp/ports.ts';
import type { LldpPort } from '../src/lldp/ports.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';

const ownUuid = '4C4C4544-0042-3510-8052-B4C04F4E3332';

/** A switch that is at `nic`; its chassis id is its name unless told otherwise. */
function at(nic: string, sysName: string, more: Partial<Neighbor> = {}): Neighbor {
  return {
    nic,
    chassisId: `chassis of ${sysName}`,
    chassisIdType: 'local',
    sysName,
    sysDescription: '',
    portId: 'Eth1/1',
    portIdType: 'local',
    portDescription: '',
    capabilities: [{ type: 'Bridge', enabled: true }],
    ttlSeconds: 120,
    ageSeconds: 10,
    ...more,
  };
}

const port = (name: string, more: Partial<LldpPort> = {}): LldpPort => ({ name, carrier: true, driver: '', ...more });
const twoPorts = [port('m1'), port('m2')];

function judge(heard: readonly Neighbor[], policy: Partial<LeafPolicy> = {}, ports = twoPorts): LeafFindings {
  return judgeLeaves(heard, ports, { ownUuid, ...policy });
}

const leaves = [at('m1', 'leaf1'), at('m2', 'leaf2')];
const station = [
  { type: 'Bridge', enabled: false },
  { type: 'Router', enabled: false },
  { type: 'Station', enabled: true },
];

test('two leaves on two ports are complete', () => {
  expect(judge(leaves)).toMatchObject({ complete: true, diagnosis: '', neighbors: leaves });
});

test('several cables to each of two leaves are complete', () => {
  const four = [...leaves, at('m3', 'leaf1', { portId: 'Eth1/2' }), at('m4', 'leaf2', { portId: 'Eth1/2' })];
  const ports = ['m1', 'm2', 'm3', 'm4'].map((name) => port(name));
  expect(judge(four, {}, ports)).toMatchObject({ complete: true, neighbors: four });
});

test.each([
  [
    'one port is silent',
    [at('m1', 'leaf1')],
    'heard 1 of 2 leaves: m1 hears leaf1 port Eth1/1, m2 has a link but hears no LLDP',
  ],
  [
    'both ports are at one leaf',
    [at('m1', 'leaf1'), at('m2', 'leaf1', { portId: 'Eth1/2' })],
    'heard 1 of 2 leaves, m1 and m2 are at the same one: m1 hears leaf1 port Eth1/1, m2 hears leaf1 port Eth1/2',
  ],
  [
    'there are three',
    [...leaves, at('m2', 'management')],
    'heard 3 leaves instead of 2: m1 hears leaf1 port Eth1/1, m2 hears leaf2 port Eth1/1 and management port Eth1/1',
  ],
  [
    'both have one name',
    [at('m1', 'leaf', { chassisId: 'a' }), at('m2', 'leaf', { chassisId: 'b' })],
    'both leaves call themselves leaf: m1 hears leaf port Eth1/1, m2 hears leaf port Eth1/1',
  ],
  [
    'one sends no name',
    [at('m1', 'leaf1'), at('m2', '', { chassisId: '02:00:00:00:00:01' })],
    'leaf 02:00:00:00:00:01 sends no system name, by which the API knows leaves: ' +
      'm1 hears leaf1 port Eth1/1, m2 hears 02:00:00:00:00:01 port Eth1/1',
  ],
  [
    'one port hears both',
    [...leaves, at('m1', 'leaf2')],
    'm1 hears both leaves, so something between them carries LLDP on: ' +
      'm1 hears leaf1 port Eth1/1 and leaf2 port Eth1/1, m2 hears leaf2 port Eth1/1',
  ],
  [
    'one changed its name while its old one is remembered on another port',
    [at('m1', 'leaf1'), at('m2', 'leaf2'), at('m3', 'new', { chassisId: 'chassis of leaf2' })],
    '2 leaves go by 3 names: m1 hears leaf1 port Eth1/1, m2 hears leaf2 port Eth1/1, m3 hears new port Eth1/1',
  ],
])('it is incomplete and says why when %s', (_, heard, diagnosis) => {
  const ports = heard.some(({ nic }) => nic === 'm3') ? [...twoPorts, port('m3')] : twoPorts;
  expect(judge(heard, {}, ports)).toMatchObject({ complete: false, diagnosis });
});

test.each([
  ['a server', at('m3', 'storage', { capabilities: station }), 'storage port Eth1/1 (no switch)'],
  [
    'another machine in discovery',
    at('m3', '0a0b0c0d-0000-4000-8000-000000000001'),
    '0a0b0c0d-0000-4000-8000-000000000001 port Eth1/1 (another machine in discovery)',
  ],
  [
    'this machine itself',
    at('m3', ownUuid.toLowerCase()),
    `${ownUuid.toLowerCase()} port Eth1/1 (this machine itself)`,
  ],
])('%s is not counted and not reported', (_, neighbor, text) => {
  const ports = [...twoPorts, port('m3')];
  const all = judge([...leaves, neighbor], {}, ports);
  expect(all).toMatchObject({ complete: true, neighbors: leaves });
  expect(all.ports.map((report) => report.text)).toEqual([
    'm1 hears leaf1 port Eth1/1',
    'm2 hears leaf2 port Eth1/1',
    `m3 hears ${text}`,
  ]);
  expect(judge([neighbor], {}, ports).diagnosis).toContain(text);
});

test.each([
  ['enables routing only', [{ type: 'Router', enabled: true }, ...station.slice(0, 1)], true],
  ['could bridge and enables nothing', [{ type: 'Bridge', enabled: false }], true],
  ['does not say', [], true],
  [
    'is a telephone',
    [
      { type: 'Tel', enabled: true },
      { type: 'Bridge', enabled: false },
    ],
    false,
  ],
])('a neighbour that %s', (_, capabilities, isLeaf) => {
  expect(judge([at('m1', 'x', { capabilities })]).neighbors).toHaveLength(isLeaf ? 1 : 0);
});

test('with a pattern names alone decide', () => {
  const heard = [at('m1', 'r01leaf01', { capabilities: station }), at('m2', 'r01leaf02'), at('m2', 'r01mgmt')];
  const found = judge(heard, { leafName: /leaf\d+$/g });
  expect(found).toMatchObject({ complete: true, neighbors: heard.slice(0, 2) });
  expect(found.ports[1]?.text).toBe('m2 hears r01leaf02 port Eth1/1 and r01mgmt port Eth1/1 (not named like a leaf)');
});

test('of a neighbour that changed its port id, the latest counts', () => {
  const before = at('m1', 'leaf1', { portId: 'swp1', ageSeconds: 100 });
  const now = at('m1', 'leaf1', { portId: 'Eth1/1', ageSeconds: 5 });
  expect(judge([now, before]).neighbors).toEqual([now]);
  expect(judge([before, now]).neighbors).toEqual([now]);
});

test('the same chassis and port id behind two ports are two cables', () => {
  const heard = [at('m1', 'leaf1'), at('m2', 'leaf1')];
  expect(judge(heard).neighbors).toEqual(heard);
});

test('a port without a link, and one whose firmware may eat LLDP, say so', () => {
  const ports = [
    port('m1', { carrier: false }),
    port('m2', { driver: 'i40e' }),
    port('m3', { driver: 'ice' }),
    port('m4', { driver: 'mlx5_core' }),
  ];
  expect(judge([], {}, ports).ports.map(({ text }) => text)).toEqual([
    'm1 has no link',
    'm2 has a link but hears no LLDP (its firmware may keep it to itself: ethtool --set-priv-flags m2 disable-fw-lldp on)',
    'm3 has a link but hears no LLDP (its firmware may keep it to itself: ethtool --set-priv-flags m3 fw-lldp-agent off)',
    'm4 has a link but hears no LLDP',
  ]);
  expect(judge([], {}, []).diagnosis).toBe('heard 0 of 2 leaves: no NICs');
});

test('what a BMC says on the wire to it does not count', () => {
  expect(judge([...leaves, at('usb0', 'bmc')])).toMatchObject({ complete: true, neighbors: leaves });
});

test('whatever is heard, and in whatever order, the answer is the same, and complete means two leaves', () => {
  const neighbor = fc
    .record({
      nic: fc.constantFrom('m1', 'm2', 'm3', 'usb0'),
      sysName: fc.constantFrom('leaf1', 'leaf2', 'leaf3', '', ownUuid),
      chassisId: fc.constantFrom('a', 'b', 'c', ''),
      capabilities: fc.constantFrom([], station, [{ type: 'Bridge', enabled: true }]),
    })
    .filter(({ sysName, chassisId }) => sysName !== '' || chassisId !== '')
    .map(({ nic, sysName, ...more }) => at(nic, sysName, more));
  const ports = ['m1', 'm2', 'm3'].map((name) => port(name));
  fc.assert(
    fc.property(fc.array(neighbor, { maxLength: 8 }), (list) => {
      const heard = list.map((one, index) => ({ ...one, ageSeconds: index }));
      const found = judge(heard, {}, ports);
      expect(judge(heard.toReversed(), {}, ports)).toEqual(found);
      expect(found.diagnosis === '').toBe(found.complete);
      if (!found.complete) return;
      expect(new Set(found.neighbors.map(({ sysName }) => sysName)).size).toBe(2);
      expect(found.neighbors.every(({ sysName, nic }) => sysName.startsWith('leaf') && nic !== 'usb0')).toBe(true);
    }),
  );
});

test('ports are the Ethernet interfaces that lead outside', () => {
  using machine = plant({
    '/sys/class/net/eth0/type': '1\n',
    '/sys/class/net/eth0/carrier': '1\n',
    '/sys/class/net/eth0/device/driver': { link: '../../bus/pci/drivers/ice' },
    '/sys/class/net/ib0/type': '32\n',
    '/sys/class/net/ib0/device/vendor': '0x15b3\n',
    '/sys/class/net/bond0/type': '1\n',
  });
  expect(lldpPorts(openSysfs(machine.root))).toEqual([{ name: 'eth0', carrier: true, driver: 'ice' }]);
});

test('a port that refuses an MTU keeps its own, and is named', async () => {
  const calls: string[] = [];
  const problems = await setPortMtu(twoPorts, 9000, {
    run: (file, args) => {
      calls.push([file, ...args].join(' '));
      return args.includes('m2') ? Promise.reject(new Error('Invalid argument')) : Promise.resolve('');
    },
    signal: new AbortController().signal,
  });
  expect(calls).toEqual(['ip link set dev m1 mtu 9000', 'ip link set dev m2 mtu 9000']);
  expect(problems).toEqual(['m2 keeps its MTU: Invalid argument']);
});
