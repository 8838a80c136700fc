import type { ConfigRows } from './tables.ts';

/** The VLANs that this agent takes for tenants; metal-stack's range. The PXE VLAN lies outside. */
export const VLAN_POOL = { first: 1001, last: 2000 } as const;

const VLAN_NAME = /^Vlan([1-9]\d{0,3})$/;

export function vlanName(id: number): string {
  return `Vlan${id}`;
}

/** The id of `Vlan1001`; undefined for what is no VLAN. */
export function vlanIdOf(name: string | undefined): number | undefined {
  const id = VLAN_NAME.exec(name ?? '')?.[1];
  return id === undefined ? undefined : Number(id);
}

export function isInPool(id: number): boolean {
  return id >= VLAN_POOL.first && id <= VLAN_POOL.last;
}

/** A row of VXLAN_TUNNEL_MAP that makes sense. */
export interface TunnelMapping {
  readonly key: string;
  readonly vni: number;
  readonly vlan: number;
}

/** The mappings of CONFIG_DB, in the order of their VLANs. */
export function tunnelMappings(config: ConfigRows): readonly TunnelMapping[] {
  const mappings: TunnelMapping[] = [];
  for (const [key, row] of config.VXLAN_TUNNEL_MAP) {
    const vlan = vlanIdOf(row['vlan']);
    const vni = Number(row['vni'] ?? Number.NaN);
    if (vlan !== undefined && Number.isInteger(vni)) mappings.push({ key, vni, vlan });
  }
  return mappings.toSorted((a, b) => a.vlan - b.vlan || (a.key < b.key ? -1 : 1));
}

/** Every VLAN id that any row speaks of, whether or not the VLAN exists: none of them is free. */
function usedVlanIds(config: ConfigRows): ReadonlySet<number> {
  const used = new Set<number>();
  const use = (name: string | undefined): void => {
    const id = vlanIdOf(name);
    if (id !== undefined) used.add(id);
  };
  for (const table of ['VLAN', 'VLAN_MEMBER', 'VLAN_INTERFACE', 'SUPPRESS_VLAN_NEIGH'] as const) {
    for (const key of config[table].keys()) use(key.split('|')[0]);
  }
  // Also of a map that makes no sense: its VLAN is meant for somebody.
  for (const row of config.VXLAN_TUNNEL_MAP.values()) use(row['vlan']);
  return used;
}

/** What a tenant's VRF gets. */
export type VlanAssignment = { readonly vlan: number } | { readonly refused: string };

/**
 * Gives each VNI its VLAN: the one that CONFIG_DB maps to it already, else the lowest id that no row uses. An id that is
 * freed in this cycle is still in use, so it is never removed and added in one burst. The same rows and wishes give the
 * same ids. `preferred` (VNI to VLAN) comes before the lowest id, where no row uses it.
 */
export function assignVlans(
  config: ConfigRows,
  vnis: readonly number[],
  preferred: ReadonlyMap<number, number> = new Map(),
): ReadonlyMap<number, VlanAssignment> {
  const used = new Set(usedVlanIds(config));
  const assignments = new Map<number, VlanAssignment>();
  for (const vni of vnis) {
    const known = knownVlan(config, vni);
    if (known !== undefined) assignments.set(vni, known);
  }
  for (const vni of vnis.filter((wanted) => !assignments.has(wanted))) {
    const vlan = preferred.get(vni);
    if (vlan === undefined || used.has(vlan)) continue;
    used.add(vlan);
    assignments.set(vni, { vlan });
  }
  let next: number = VLAN_POOL.first;
  for (const vni of vnis.filter((wanted) => !assignments.has(wanted)).toSorted((a, b) => a - b)) {
    while (used.has(next)) next += 1;
    assignments.set(
      vni,
      isInPool(next)
        ? { vlan: next }
        : {
            refused: `all VLANs of ${VLAN_POOL.first} to ${VLAN_POOL.last} are in use; remove those that nobody needs`,
          },
    );
    next += 1;
  }
  return assignments;
}

function knownVlan(config: ConfigRows, vni: number): VlanAssignment | undefined {
  const mapped = tunnelMappings(config).filter((mapping) => mapping.vni === vni);
  const foreign = mapped.find(({ vlan }) => !isInPool(vlan));
  if (foreign !== undefined) {
    return {
      refused: `VXLAN_TUNNEL_MAP|${foreign.key} maps its VNI to ${vlanName(foreign.vlan)}, which is outside ${VLAN_POOL.first} to ${VLAN_POOL.last} and not this agent's`,
    };
  }
  // Without a mapping, the routed interface tells: it and the VLAN are written before the mapping, and go with it.
  const bound = [...config.VLAN_INTERFACE]
    .filter(([, row]) => row['vrf_name'] === `Vrf${vni}`)
    .map(([key]) => vlanIdOf(key))
    .filter((id): id is number => id !== undefined && isInPool(id))
    .toSorted((a, b) => a - b);
  const vlan = mapped[0]?.vlan ?? bound[0];
  if (vlan === undefined) return undefined;
  const svi = config.VLAN_INTERFACE.get(vlanName(vlan));
  if (svi !== undefined && svi['vrf_name'] !== `Vrf${vni}`) {
    return {
      refused: `VLAN_INTERFACE|${vlanName(vlan)} is in ${svi['vrf_name'] ?? 'the default VRF'}, but its VLAN carries the VNI ${vni}; remove one of the two`,
    };
  }
  return { vlan };
}
