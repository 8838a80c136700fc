import type { ConfigDb, Row } from '../config-db/config-db.ts';
import { isTenantName } from '../reconcile/tenant-vrf.ts';
import { isInPool, vlanIdOf } from '../reconcile/vlan-pool.ts';

/** The VRFs of a running switch that the daemon has made for tenants, and that `wanted` says nothing of. */
export function tenantVrfs(running: ConfigDb, wanted: ConfigDb): readonly string[] {
  return Object.entries(running['VRF'] ?? {}).flatMap(([name, row]) => {
    const isMarked = isTenantName(name) && row['vni'] === name.slice('Vrf'.length) && row['fallback'] === 'false';
    return isMarked && wanted['VRF']?.[name] === undefined ? [name] : [];
  });
}

/**
 * `wanted` with what `ingot-switch run` has made of a running leaf for its machines: tenants' VRFs and VLANs, the
 * interfaces of their ports, those of firewalls (link-local and nothing else), and the members of VLANs that `wanted`
 * gives no untagged member (where machines boot). MTU and admin status of those ports, and of untagged members that
 * stay, are the daemon's as well.
 */
export function withDaemonRows(running: ConfigDb, wanted: ConfigDb): ConfigDb {
  const tables = new Map(Object.entries(wanted).map(([table, rows]) => [table, new Map(Object.entries(rows))]));
  const rowsOf = (table: string): Map<string, Row> => {
    const rows = tables.get(table) ?? new Map<string, Row>();
    tables.set(table, rows);
    return rows;
  };
  const keep = (table: string, isKept: (key: string, row: Row) => boolean): void => {
    for (const [key, row] of Object.entries(running[table] ?? {})) if (isKept(key, row)) rowsOf(table).set(key, row);
  };

  const vrfs = new Set(tenantVrfs(running, wanted));
  const isTenants = (row: Row | undefined): boolean =>
    typeof row?.['vrf_name'] === 'string' && vrfs.has(row['vrf_name']);
  const vlans = new Set(
    Object.entries(running['VLAN_INTERFACE'] ?? {}).flatMap(([key, row]) => {
      const isOwn = isTenants(row) && isInPool(vlanIdOf(key) ?? 0) && wanted['VLAN']?.[key] === undefined;
      return isOwn ? [key] : [];
    }),
  );
  keep('VRF', (key) => vrfs.has(key));
  for (const table of ['VLAN', 'VLAN_INTERFACE', 'SUPPRESS_VLAN_NEIGH']) keep(table, (key) => vlans.has(key));
  keep('VXLAN_TUNNEL_MAP', (_, row) => typeof row['vlan'] === 'string' && vlans.has(row['vlan']));

  const taken = portsTakenBy(wanted);
  const routed = new Set(
    Object.entries(running['INTERFACE'] ?? {}).flatMap(([port, row]) => {
      if (port.includes('|') || taken.has(port) || wanted['PORT']?.[port] === undefined) return [];
      return isTenants(row) || isFirewalls(running, port, row) ? [port] : [];
    }),
  );
  keep('INTERFACE', (key) => routed.has(key.split('|')[0] ?? ''));
  const members = rowsOf('VLAN_MEMBER');
  const untagged = new Set(
    [...members].flatMap(([key, row]) => (row['tagging_mode'] === 'untagged' ? [key.split('|')[0] ?? ''] : [])),
  );
  // The VLAN that they boot in is theirs again when they are free.
  for (const key of members.keys()) if (routed.has(key.split('|')[1] ?? '')) members.delete(key);
  const machines = new Set(routed);
  keep('VLAN_MEMBER', (key, row) => {
    const [vlan = '', port = ''] = key.split('|');
    if (row['tagging_mode'] !== 'untagged' || taken.has(port) || wanted['VLAN']?.[vlan] === undefined) return false;
    const isKept = members.has(key) || !untagged.has(vlan);
    if (isKept) machines.add(port);
    return isKept;
  });
  for (const port of machines) {
    const { mtu, admin_status: status } = running['PORT']?.[port] ?? {};
    const tuned = { ...(mtu === undefined ? {} : { mtu }), ...(status === undefined ? {} : { admin_status: status }) };
    rowsOf('PORT').set(port, { ...wanted['PORT']?.[port], ...tuned });
  }
  return Object.fromEntries([...tables].map(([table, rows]) => [table, Object.fromEntries(rows)]));
}

/** The ports that the YAML itself routes or bundles. */
function portsTakenBy(wanted: ConfigDb): ReadonlySet<string> {
  return new Set([
    ...Object.keys(wanted['INTERFACE'] ?? {}).map((key) => key.split('|')[0] ?? ''),
    ...Object.keys(wanted['PORTCHANNEL_MEMBER'] ?? {}).map((key) => key.split('|')[1] ?? ''),
  ]);
}

function isFirewalls(running: ConfigDb, port: string, row: Row): boolean {
  const fields = Object.entries(row);
  const isLinkLocal = fields.length === 1 && row['ipv6_use_link_local_only'] === 'enable';
  return isLinkLocal && !Object.keys(running['INTERFACE'] ?? {}).some((key) => key.startsWith(`${port}|`));
}
