import type { Generation } from './generate.ts';
import type { Path } from './report.ts';

/** The names that metal-stack's agents expect. */
const VTEP = 'vtep';
const NVO = 'nvo';

/** VXLAN_TUNNEL, VXLAN_EVPN_NVO and VXLAN_TUNNEL_MAP, and that no VNI has two places. */
export function addVxlan(generation: Generation): void {
  const { config, tables, report } = generation;
  const { enabled = false, vxlan_tunnel_maps: maps = [] } = config.vtep ?? {};
  const vlanOfVni = new Map<number, string>();
  const vniOfVlan = new Map<string, number>();
  for (const [index, { vni, vlan: written }] of maps.entries()) {
    const path = ['vtep', 'vxlan_tunnel_maps', index];
    const vlan = written.startsWith('Vlan') ? written : `Vlan${written}`;
    if (!tables.has('VLAN', vlan)) report.problem([...path, 'vlan'], `vlans has no ${vlan}; write it there too`);
    const [otherVlan, otherVni] = [vlanOfVni.get(vni), vniOfVlan.get(vlan)];
    if (otherVlan !== undefined) report.problem([...path, 'vni'], `VNI ${vni} is that of ${otherVlan} already`);
    if (otherVni !== undefined) report.problem([...path, 'vlan'], `${vlan} has VNI ${otherVni} already`);
    vlanOfVni.set(vni, vlan);
    vniOfVlan.set(vlan, vni);
    if (enabled) tables.set('VXLAN_TUNNEL_MAP', `${VTEP}|map_${vni}_${vlan}`, { vlan, vni: String(vni) });
  }
  checkVrfVnis(generation, enabled ? vlanOfVni : new Map());
  if (!enabled) {
    if (maps.length > 0) report.note(['vtep', 'vxlan_tunnel_maps'], 'are not written, as vtep.enabled is not true');
    return;
  }
  const address = config.loopback_address?.split('/')[0];
  if (address === undefined) {
    report.problem(['vtep', 'enabled'], 'needs the address that tunnels start from; write loopback_address');
    return;
  }
  tables.set('VXLAN_TUNNEL', VTEP, { src_ip: address });
  tables.set('VXLAN_EVPN_NVO', NVO, { source_vtep: VTEP });
}

function checkVrfVnis({ config, report }: Generation, vlanOfVni: ReadonlyMap<number, string>): void {
  const vrfOfVni = new Map<number, string>();
  const vniOfVrf = new Map<string, number>();
  for (const [key, { vrf, vni }] of Object.entries(config.interconnects ?? {})) {
    if (vrf === undefined || vni === undefined) continue;
    const path: Path = ['interconnects', key, 'vni'];
    const [otherVrf, otherVni] = [vrfOfVni.get(vni), vniOfVrf.get(vrf)];
    if (otherVrf !== undefined && otherVrf !== vrf) report.problem(path, `VNI ${vni} is that of ${otherVrf} already`);
    if (otherVni !== undefined && otherVni !== vni) report.problem(path, `${vrf} has VNI ${otherVni} already`);
    vrfOfVni.set(vni, vrf);
    vniOfVrf.set(vrf, vni);
    if (!vlanOfVni.has(vni)) {
      report.note(path, `VNI ${vni} routes only with a VLAN of its own in vtep.vxlan_tunnel_maps`);
    }
  }
}
