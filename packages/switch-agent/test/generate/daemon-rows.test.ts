import { expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { diffConfigDb } from '../../src/config-db/diff-config-db.ts';
import { tenantVrfs, withDaemonRows } from '../../src/generate/daemon-rows.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { testSwitch } from '../platforms/platforms.ts';

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
