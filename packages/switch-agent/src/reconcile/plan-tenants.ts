import type { TenantVrf } from '../fabric-model.ts';
import { type Action, Step } from './actions.ts';
import { type ConfigRows, type ConfigTable, type Fields, hasFields, type RowChange, withFields } from './tables.ts';
import { vlansOf } from './tenant-vrf.ts';
import { assignVlans, tunnelMappings, vlanName } from './vlan-pool.ts';
import type { Problem, TenantWish } from './wishes.ts';

/** The tenants' VRFs as they will be, and how they come and go. */
export interface TenantPlan {
  readonly actions: readonly Action[];
  /** The wanted VRFs that have a VLAN. */
  readonly vrfs: readonly TenantVrf[];
  /** The wanted VRFs that ports may be bound to. */
  readonly usable: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

export function planTenants(
  config: ConfigRows,
  tenants: readonly TenantWish[],
  preferredVlans?: ReadonlyMap<number, number>,
): TenantPlan {
  const problems: Problem[] = [];
  const actions: Action[] = [];
  const vrfs: TenantVrf[] = [];
  const usable = new Set<string>();
  const vtep = findVtep(config);
  const vlans = assignVlans(
    config,
    // Without a VTEP no VLAN is taken: none would ever carry anything, and the pool would run dry.
    tenants.map(({ vni }) => vni).filter((vni) => 'name' in vtep || isKnown(config, vni)),
    preferredVlans,
  );
  for (const tenant of tenants) {
    const refuse = (reason: string): number =>
      problems.push({ subject: tenant.name, reason: `${reason} (${tenant.ports.join(', ')})` });
    const conflict = vniConflict(config, tenant);
    if (conflict !== undefined) {
      refuse(conflict);
      continue;
    }
    const assigned = vlans.get(tenant.vni);
    if (assigned === undefined || 'refused' in assigned) {
      refuse(assigned?.refused ?? ('name' in vtep ? '' : vtep.refused));
      continue;
    }
    const vrf = { ...tenant, vlan: assigned.vlan };
    vrfs.push(vrf);
    if ('name' in vtep) {
      const changes = missingRows(config, vrf, vtep.name);
      if (changes.length > 0) {
        actions.push({ step: Step.Create, subject: vrf.name, vrf: vrf.name, vlan: vrf.vlan, changes });
      }
      usable.add(vrf.name);
    } else {
      refuse(vtep.refused);
    }
  }
  return { actions, vrfs, usable, problems };
}

type Vtep = { readonly name: string } | { readonly refused: string };

function findVtep(config: ConfigRows): Vtep {
  const names = [...config.VXLAN_TUNNEL.keys()];
  const [name] = names;
  if (name !== undefined && names.length === 1) return { name };
  return name === undefined
    ? { refused: 'CONFIG_DB has no VXLAN_TUNNEL row, so tenants have no VTEP; create it (config vxlan add)' }
    : { refused: `CONFIG_DB has ${names.length} VXLAN_TUNNEL rows (${names.join(', ')}); leave one` };
}

/** Whether the VNI has a VLAN already, in or out of the pool. */
function isKnown(config: ConfigRows, vni: number): boolean {
  return vlansOf(config, `Vrf${vni}`).length > 0;
}

/** A VRF of somebody else's that has the name or the VNI. */
function vniConflict(config: ConfigRows, { name, vni }: TenantWish): string | undefined {
  for (const [other, row] of config.VRF) {
    const has = Number(row['vni'] ?? 0);
    if (other === name && has !== 0 && has !== vni)
      return `VRF|${name} has the VNI ${has}, so it is not this agent's; remove it`;
    if (other !== name && has === vni) return `VRF|${other} has its VNI ${vni}; remove it, or give it another`;
  }
  return undefined;
}

/** The rows of a VRF in the order in which SONiC wants them, as far as they are missing or differ. */
function missingRows(config: ConfigRows, vrf: TenantVrf, vtep: string): readonly RowChange[] {
  const vlan = vlanName(vrf.vlan);
  const isMapped = tunnelMappings(config).some((mapping) => mapping.vni === vrf.vni && mapping.vlan === vrf.vlan);
  return [
    ...setting(config, 'VRF', vrf.name, { fallback: 'false', vni: String(vrf.vni) }),
    ...setting(config, 'VLAN', vlan, { vlanid: String(vrf.vlan) }),
    ...setting(config, 'SUPPRESS_VLAN_NEIGH', vlan, { suppress: 'on' }),
    ...setting(config, 'VLAN_INTERFACE', vlan, { vrf_name: vrf.name }),
    ...(isMapped
      ? []
      : setting(config, 'VXLAN_TUNNEL_MAP', `${vtep}|map_${vrf.vni}_${vlan}`, { vlan, vni: String(vrf.vni) })),
  ];
}

function setting(config: ConfigRows, table: ConfigTable, key: string, fields: Fields): readonly RowChange[] {
  const before = config[table].get(key);
  return hasFields(before, fields) ? [] : [{ table, key, before, after: withFields(before, fields) }];
}
