import type { ConfigDb } from '../config-db/config-db.ts';
import type { Finding } from '../yang/finding.ts';
import { hasRow, rowsOf, textOf } from './rows.ts';

/** That a VNI has one place, a VLAN one VNI, and a switch one tunnel end point. */
export function checkVxlan(configDb: ConfigDb): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (table: string, key: string, field: string | undefined, message: string): void => {
    findings.push({ severity: 'error', table, key, ...(field !== undefined && { field }), message });
  };
  const warn = (table: string, key: string, field: string, message: string): void => {
    findings.push({ severity: 'warning', table, key, field, message });
  };

  const [tunnel, ...moreTunnels] = rowsOf(configDb, 'VXLAN_TUNNEL');
  for (const [key] of moreTunnels) {
    report('VXLAN_TUNNEL', key, undefined, `SONiC has one tunnel end point, and ${tunnel?.[0]} is it; leave one out`);
  }

  const placeOfVni = new Map<string, { readonly key: string; readonly vlan: string | undefined }>();
  const vniOfVlan = new Map<string, string>();
  for (const [key, row] of rowsOf(configDb, 'VXLAN_TUNNEL_MAP')) {
    const [vni, vlan] = [textOf(row, 'vni'), textOf(row, 'vlan')];
    const other = vni === undefined ? undefined : placeOfVni.get(number(vni));
    if (other !== undefined) report('VXLAN_TUNNEL_MAP', key, 'vni', `${vni} is that of ${other.key} already`);
    const otherVni = vlan === undefined ? undefined : vniOfVlan.get(vlan);
    if (otherVni !== undefined) report('VXLAN_TUNNEL_MAP', key, 'vlan', `${vlan} has VNI ${otherVni} already`);
    if (vni !== undefined) placeOfVni.set(number(vni), other ?? { key, vlan });
    if (vlan !== undefined && vni !== undefined) vniOfVlan.set(vlan, otherVni ?? vni);
  }

  const vrfOfVni = new Map<string, string>();
  for (const [vrf, row] of rowsOf(configDb, 'VRF')) {
    const vni = textOf(row, 'vni');
    // 0 is how SONiC writes "none".
    if (vni === undefined || !/^\d+$/.test(vni) || number(vni) === '0') continue;
    const other = vrfOfVni.get(number(vni));
    if (other !== undefined) report('VRF', vrf, 'vni', `${vni} is that of ${other} already`);
    vrfOfVni.set(number(vni), other ?? vrf);
    const place = placeOfVni.get(number(vni));
    if (place === undefined) {
      warn('VRF', vrf, 'vni', `${vni} routes nothing without a row with it in VXLAN_TUNNEL_MAP`);
    } else if (place.vlan !== undefined) {
      checkVlanOfVrf(configDb, vrf, place.vlan, report);
    }
  }
  return findings;
}

/** What arrives with the VNI of a VRF is routed where the VLAN of that VNI is. */
function checkVlanOfVrf(
  configDb: ConfigDb,
  vrf: string,
  vlan: string,
  report: (table: string, key: string, field: string, message: string) => void,
): void {
  if (!hasRow(configDb, 'VLAN_INTERFACE', vlan)) return;
  const bound = textOf(configDb['VLAN_INTERFACE']?.[vlan] ?? {}, 'vrf_name');
  if (bound !== undefined && bound !== vrf) {
    report('VLAN_INTERFACE', vlan, 'vrf_name', `${vlan} has the VNI of ${vrf}, and is in ${bound}; write ${vrf}`);
  }
}

/** 0010 and 10 are one VNI. */
function number(text: string): string {
  return text.replace(/^0+(?=\d)/, '');
}
