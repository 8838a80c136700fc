import type { ConfigRows } from './tables.ts';
import { isInPool, tunnelMappings, vlanIdOf } from './vlan-pool.ts';

const TENANT_NAME = /^Vrf([1-9]\d*)$/;

/** Whether a VRF of that name would be this agent's, were its VLAN in the pool. */
export function isTenantName(name: string): boolean {
  return TENANT_NAME.test(name);
}

/** Whether the VRF is a tenant's by its name, but carried by a VLAN that is not this agent's. */
export function isForeignTenant(config: ConfigRows, name: string): boolean {
  return vlansOf(config, name).some((vlan) => !isInPool(vlan));
}

/** NaN for a VRF that is no tenant's. */
export function vniOf(name: string): number {
  return Number(TENANT_NAME.exec(name)?.[1] ?? Number.NaN);
}

/** The VLANs that carry the VRF, by its tunnel maps and its routed interfaces, ascending. */
export function vlansOf(config: ConfigRows, name: string): readonly number[] {
  const vni = vniOf(name);
  const vlans = new Set(tunnelMappings(config).flatMap((mapping) => (mapping.vni === vni ? [mapping.vlan] : [])));
  for (const [key, row] of config.VLAN_INTERFACE) {
    const vlan = row['vrf_name'] === name ? vlanIdOf(key) : undefined;
    if (vlan !== undefined) vlans.add(vlan);
  }
  return [...vlans].toSorted((a, b) => a - b);
}
