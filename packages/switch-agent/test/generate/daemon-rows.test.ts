import { expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { fromRedisFields, toRedisFields } from '../../src/config-db/redis-rows.ts';
import { diffConfigDb } from '../../src/config-db/diff-config-db.ts';
import { tenantVrfs, withDaemonRows } from '../../src/generate/daemon-rows.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { planCycle } from '../../src/reconcile/plan.ts';
import { wishesOf } from '../../src/reconcile/wishes.ts';
import { testSwitch } from '../platforms/platforms.ts';
import { LEAF as LEAF_CONFIG, randomDesired } from '../sonic/leaf.ts';
import { carriedOut, configOf, type FlatRows } from '../sonic/tables.ts';
import { seeded } from '../sonic/transitions.ts';

const generated = (yaml: string): ConfigDb => {
  const result = generateConfigDb('c.yaml', yaml, testSwitch('as7726').target);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.configDb;
};
const LEAF = `
loopback_address: 10.0.0.11
bgp_ports: [Ethernet120, Ethernet124]
ports: {default_mtu: 9216}
vlans: [{id: 4000, ip: 10.0.1.1/24}, {id: 1500, tagged_ports: [Ethernet64]}]
vtep: {enabled: true}
interconnects: {static: {vrf: Vrf46, vni: 46, unnumbered_interfaces: [Ethernet96]}}
`;
const LINK_LOCAL = { ipv6_use_link_local_only: 'enable' };

/** The leaf with what the daemon makes: a tenant on Ethernet0, a firewall on Ethernet4, a free machine on Ethernet8. */
function running(): Record<string, Record<string, Record<string, string | readonly string[]>>> {
  const tables = structuredClone(generated(LEAF));
  const row = (table: string, key: string, fields: Record<string, string>) => ({
    ...tables[table],
    [key]: { ...tables[table]?.[key], ...fields },
  });
  return {
    ...tables,
    PORT: {
      ...row('PORT', 'Ethernet0', { mtu: '9000', admin_status: 'down' }),
      Ethernet8: { ...tables['PORT']?.['Ethernet8'], mtu: '9000' },
    },
    VRF: row('VRF', 'Vrf104001', { fallback: 'false', vni: '104001' }),
    VLAN: row('VLAN', 'Vlan1001', { vlanid: '1001' }),
    SUPPRESS_VLAN_NEIGH: row('SUPPRESS_VLAN_NEIGH', 'Vlan1001', { suppress: 'on' }),
    VLAN_INTERFACE: row('VLAN_INTERFACE', 'Vlan1001', { vrf_name: 'Vrf104001' }),
    VXLAN_TUNNEL_MAP: row('VXLAN_TUNNEL_MAP', 'vtep|map_104001_Vlan1001', { vlan: 'Vlan1001', vni: '104001' }),
    INTERFACE: {
      ...row('INTERFACE', 'Ethernet0', { ...LINK_LOCAL, vrf_name: 'Vrf104001' }),
      Ethernet4: LINK_LOCAL,
    },
    VLAN_MEMBER: row('VLAN_MEMBER', 'Vlan4000|Ethernet8', { tagging_mode: 'untagged' }),
  };
}
const changes = (yaml: string, before: ConfigDb = running()) =>
  diffConfigDb(before, withDaemonRows(before, generated(yaml))).map(
    ({ kind, table, key }) => `${kind} ${table}|${key}`,
  );

test('what the daemon made is no difference', () => {
  expect(changes(LEAF)).toEqual([]);
  expect(tenantVrfs(running(), generated(LEAF))).toEqual(['Vrf104001']);
});

test('nor is it one where the YAML lists the ports of the VLAN that machines boot in', () => {
  const ports = 'id: 4000, untagged_ports: [Ethernet0, Ethernet4, Ethernet8],';
  expect(changes(LEAF.replace('id: 4000,', ports))).toEqual([]);
});

test('everything else is', () => {
  const yaml = LEAF.replace('Ethernet124', 'Ethernet116')
    .replace('tagged_ports: [Ethernet64]', '')
    .replace('Vrf46', 'Vrf47');
  expect(changes(yaml)).toEqual([
    'changed INTERFACE|Ethernet96',
    'added INTERFACE|Ethernet116',
    'removed VLAN_MEMBER|Vlan1500|Ethernet64',
    'removed VRF|Vrf46',
    'added VRF|Vrf47',
  ]);
});

test('a VRF, a VLAN or a port that the YAML speaks of is the YAML’s', () => {
  expect(changes(`${LEAF}\n`.replace('bgp_ports: [', 'bgp_ports: [Ethernet0, '))).toEqual([
    'changed INTERFACE|Ethernet0',
    'changed PORT|Ethernet0',
  ]);
  const before = { ...running(), VRF: { Vrf46: { vni: '46' }, Vrf104001: { vni: '104001' } } };
  // Not marked as the daemon marks them: somebody else's.
  expect(tenantVrfs(before, generated(LEAF))).toEqual([]);
  expect(changes(LEAF, before)).toContain('removed VRF|Vrf104001');
});

test('whatever the daemon makes of its machines is no difference', () => {
  const random = seeded(4);
  const machines = ['Ethernet0', 'Ethernet4', 'Ethernet8', 'Ethernet12'];
  let rows: FlatRows = Object.fromEntries(
    Object.entries(generated(LEAF)).flatMap(([table, each]) =>
      Object.entries(each).map(([key, row]) => [`${table}|${key}`, toRedisFields(row)] as const),
    ),
  );
  for (let turn = 0; turn < 60; turn += 1) {
    const desired = randomDesired(machines, random, { vrfs: 3 });
    const wishes = wishesOf({ desired, leaf: LEAF_CONFIG, portOf: (name) => name, stickyAdmin: new Map() });
    const plan = planCycle({ config: configOf(rows), wishes, leaf: LEAF_CONFIG, hostname: 'leaf01', logLevel: 'info' });
    expect(plan.problems).toEqual([]);
    rows = carriedOut(rows, plan);
    const before: Record<string, Record<string, ReturnType<typeof fromRedisFields>>> = {};
    for (const [name, fields] of Object.entries(rows)) {
      const end = name.indexOf('|');
      (before[name.slice(0, end)] ??= {})[name.slice(end + 1)] = fromRedisFields(fields);
    }
    expect(changes(LEAF, before), JSON.stringify(desired)).toEqual([]);
  }
});

test.each<readonly [string, string, string, Record<string, string>]>([
  ['a routed VLAN of a tenant outside of the pool', 'VLAN_INTERFACE', 'Vlan77', { vrf_name: 'Vrf104001' }],
  ['a routed VLAN of the pool in no VRF of a tenant', 'VLAN_INTERFACE', 'Vlan1077', { vrf_name: 'VrfInternet' }],
  ['a VLAN of the pool without a tenant', 'VLAN', 'Vlan1077', { vlanid: '1077' }],
  ['a tunnel map of such a VLAN', 'VXLAN_TUNNEL_MAP', 'vtep|map_7_Vlan1077', { vlan: 'Vlan1077', vni: '7' }],
  ['a router port with more than a link-local address', 'INTERFACE', 'Ethernet16', { ...LINK_LOCAL, mpls: 'enable' }],
  ['a router port without one', 'INTERFACE', 'Ethernet16', {}],
  ['a tagged port of the VLAN that machines boot in', 'VLAN_MEMBER', 'Vlan4000|Ethernet16', { tagging_mode: 'tagged' }],
  ['a port of a VLAN that the YAML has not', 'VLAN_MEMBER', 'Vlan88|Ethernet16', { tagging_mode: 'untagged' }],
])('%s is somebody else’s, and listed', (_what, table, key, row) => {
  const before = running();
  before[table] = { ...before[table], [key]: row };
  expect(changes(LEAF, before)).toEqual([`removed ${table}|${key}`]);
});

test('a router port with an address of its own is somebody else’s, whatever else it has', () => {
  const before = running();
  before['INTERFACE'] = { ...before['INTERFACE'], Ethernet16: LINK_LOCAL, 'Ethernet16|192.0.2.1/31': {} };
  expect(changes(LEAF, before)).toEqual(['removed INTERFACE|Ethernet16', 'removed INTERFACE|Ethernet16|192.0.2.1/31']);
});
