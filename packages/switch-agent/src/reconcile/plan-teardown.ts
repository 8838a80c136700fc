import type { TenantVrf } from '../fabric-model.ts';
import { type Action, Step } from './actions.ts';
import { type ConfigRows, type ConfigTable, type Fields, hasFields, type RowChange } from './tables.ts';
import { isTenantName, vlansOf, vniOf } from './tenant-vrf.ts';
import { isInPool, tunnelMappings, vlanIdOf, vlanName } from './vlan-pool.ts';
import type { Problem, TenantWish } from './wishes.ts';

/** The tables whose rows can keep an interface in a VRF. */
const INTERFACE_TABLES = [
  'INTERFACE',
  'VLAN_INTERFACE',
  'PORTCHANNEL_INTERFACE',
  'VLAN_SUB_INTERFACE',
  'LOOPBACK_INTERFACE',
] as const;

/** Takes down the VRFs and VLANs that are this agent's and that nobody wants. */
export function planTeardown(
  config: ConfigRows,
  tenants: readonly TenantWish[],
  vrfs: readonly TenantVrf[],
  released: ReadonlySet<string>,
): {
  readonly actions: readonly Action[];
  /** The VRFs that go. */
  readonly drops: readonly TenantVrf[];
  readonly problems: readonly Problem[];
} {
  const actions: Action[] = [];
  const drops: TenantVrf[] = [];
  const problems: Problem[] = [];
  const wanted = new Set(tenants.map(({ name }) => name));
  const keptVlans = new Set(vrfs.map(({ vlan }) => vlan));
  const users = usersByVrf(config);
  const goingVlans = new Set<number>();
  const removeVlan = (vlan: number, vrf: string | undefined): boolean => {
    const obstacle = vlanObstacle(config, vlan);
    if (obstacle !== undefined) {
      problems.push({
        subject: vrf ?? vlanName(vlan),
        reason: `${vlanName(vlan)} is not wanted any more, but ${obstacle}`,
      });
      return false;
    }
    goingVlans.add(vlan);
    const about = { subject: vrf ?? vlanName(vlan), vlan, ...(vrf === undefined ? {} : { vrf }) };
    const maps = tunnelMappings(config).filter((mapping) => mapping.vlan === vlan);
    const unmapped = [
      ...maps.flatMap(({ key }) => deletion(config, 'VXLAN_TUNNEL_MAP', key)),
      ...deletion(config, 'VLAN_INTERFACE', vlanName(vlan)),
    ];
    if (unmapped.length > 0) actions.push({ step: Step.Unmap, ...about, changes: unmapped });
    const rows = [
      ...deletion(config, 'SUPPRESS_VLAN_NEIGH', vlanName(vlan)),
      ...deletion(config, 'VLAN', vlanName(vlan)),
    ];
    if (rows.length > 0) actions.push({ step: Step.RemoveVlan, ...about, changes: rows });
    return true;
  };

  for (const [name, row] of config.VRF) {
    if (wanted.has(name) || !isOwnVrf(config, name, row)) continue;
    const own = vlansOf(config, name);
    const inUse = (users.get(name) ?? []).filter(
      ({ table, key }) =>
        !(table === 'INTERFACE' && released.has(key)) &&
        !(table === 'VLAN_INTERFACE' && own.includes(vlanIdOf(key) ?? 0)),
    );
    const [first] = inUse;
    if (first !== undefined) {
      problems.push({
        subject: name,
        reason: `nobody wants it any more, but ${first.table}|${first.key} is in it${inUse.length > 1 ? `, and ${inUse.length - 1} more` : ''}; it stays until they have left`,
      });
      continue;
    }
    const cleared = own.map((vlan) => removeVlan(vlan, name));
    if (cleared.every(Boolean)) {
      actions.push({ step: Step.RemoveVrf, subject: name, vrf: name, changes: deletion(config, 'VRF', name) });
      drops.push({ name, vni: vniOf(name), vlan: own[0] ?? 0, ports: [], cidrs: [] });
    }
  }
  // What a teardown that was interrupted has left, or a second VLAN for a VNI.
  for (const name of new Set([...config.VLAN.keys(), ...config.SUPPRESS_VLAN_NEIGH.keys()])) {
    const vlan = vlanIdOf(name);
    if (vlan === undefined || keptVlans.has(vlan) || goingVlans.has(vlan) || !isOwnVlan(config, vlan)) continue;
    const carried = vrfOfVlan(config, vlan);
    // The VRF's own teardown, or its refusal, has its reasons to leave it.
    if (carried !== undefined && (!wanted.has(carried) || !vrfs.some((vrf) => vrf.name === carried))) continue;
    removeVlan(vlan, undefined);
  }
  return { actions, drops, problems };
}

function deletion(config: ConfigRows, table: ConfigTable, key: string): readonly RowChange[] {
  const before = config[table].get(key);
  return before === undefined ? [] : [{ table, key, before, after: undefined }];
}

/** `Vrf<digits>` whose VLAN is in the pool; or, when a teardown got as far as the VLAN, as this agent writes it. */
function isOwnVrf(config: ConfigRows, name: string, row: Fields): boolean {
  if (!isTenantName(name)) return false;
  const vlans = vlansOf(config, name);
  return vlans.length > 0 ? vlans.every(isInPool) : hasFields(row, { fallback: 'false', vni: String(vniOf(name)) });
}

/** A VLAN of the pool that bears this agent's marks: suppressed neighbours, or an interface in a tenant's VRF. */
function isOwnVlan(config: ConfigRows, vlan: number): boolean {
  if (!isInPool(vlan)) return false;
  const svi = config.VLAN_INTERFACE.get(vlanName(vlan));
  if (svi !== undefined) return isTenantName(svi['vrf_name'] ?? '');
  return config.SUPPRESS_VLAN_NEIGH.has(vlanName(vlan));
}

function vrfOfVlan(config: ConfigRows, vlan: number): string | undefined {
  const mapped = tunnelMappings(config).find((mapping) => mapping.vlan === vlan);
  const name =
    config.VLAN_INTERFACE.get(vlanName(vlan))?.['vrf_name'] ?? (mapped === undefined ? undefined : `Vrf${mapped.vni}`);
  return name !== undefined && config.VRF.has(name) ? name : undefined;
}

/** What somebody else has put on the VLAN. */
function vlanObstacle(config: ConfigRows, vlan: number): string | undefined {
  const name = vlanName(vlan);
  for (const table of ['VLAN_MEMBER', 'VLAN_INTERFACE'] as const) {
    const key = config[table].keys().find((candidate) => candidate.startsWith(`${name}|`));
    if (key !== undefined) return `${table}|${key} is not this agent's; remove it`;
  }
  return undefined;
}

interface User {
  readonly table: ConfigTable;
  readonly key: string;
}

function usersByVrf(config: ConfigRows): ReadonlyMap<string, readonly User[]> {
  const users = new Map<string, User[]>();
  for (const table of INTERFACE_TABLES) {
    for (const [key, row] of config[table]) {
      const vrf = row['vrf_name'];
      if (vrf === undefined) continue;
      const known = users.get(vrf) ?? [];
      users.set(vrf, known);
      known.push({ table, key });
    }
  }
  return users;
}
