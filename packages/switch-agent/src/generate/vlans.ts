import type { Generation } from './generate.ts';
import { interfacePrefix } from './interface-prefix.ts';
import { isPortOrChannel } from './port-channels.ts';
import { addVrf } from './vrf.ts';
import type { Path } from './report.ts';
import type { VlanSettings } from './sonic-config.ts';

/** VLAN with its members and its interface, SAG and VRRP. */
export function addVlans(generation: Generation): void {
  const { config, distribution, tables, report } = generation;
  const gateway = config.sag?.mac;
  if (gateway !== undefined) {
    if (distribution.sag) tables.set('SAG', 'GLOBAL', { gateway_mac: gateway });
    else report.problem(['sag'], `${distribution.name} has no static anycast gateway; leave it out`);
  }
  for (const [index, vlan] of (config.vlans ?? []).entries()) {
    const path = ['vlans', index];
    const name = `Vlan${vlan.id}`;
    if (vlan.id < distribution.lowestVlan) {
      report.problem(
        [...path, 'id'],
        `${distribution.name} cannot have ${name}; write ${distribution.lowestVlan} to 4094`,
      );
    }
    if (tables.has('VLAN', name)) report.problem([...path, 'id'], `${name} is defined a second time`);
    for (const [position, server] of (vlan.dhcp_servers ?? []).entries()) {
      if (vlan.dhcp_servers?.indexOf(server) !== position) {
        report.problem([...path, 'dhcp_servers', position], `${server} stands in the list a second time`);
      }
    }
    tables.set('VLAN', name, { vlanid: String(vlan.id), dhcp_servers: vlan.dhcp_servers });
    addMembers(generation, path, name, vlan);

    const anycast = vlan.sag === undefined || !distribution.sag ? undefined : String(vlan.sag);
    if (vlan.sag === true && !distribution.sag) {
      report.problem([...path, 'sag'], `${distribution.name} has no static anycast gateway; leave it out`);
    } else if (vlan.sag === true && gateway === undefined) {
      report.problem([...path, 'sag'], 'needs the MAC of the gateway; write sag.mac');
    }
    if (vlan.vrf !== undefined) addVrf(generation, [...path, 'vrf'], vlan.vrf);
    tables.set('VLAN_INTERFACE', name, { vrf_name: vlan.vrf, static_anycast_gateway: anycast });
    if (vlan.ip !== undefined) {
      tables.set('VLAN_INTERFACE', `${name}|${interfacePrefix(report, [...path, 'ip'], vlan.ip)}`);
    }
    addVrrp(generation, path, name, vlan);
  }
}

function addMembers(generation: Generation, path: Path, name: string, vlan: VlanSettings): void {
  const { tables, report } = generation;
  const add = (key: 'tagged_ports' | 'untagged_ports', mode: string): void => {
    for (const [position, member] of (vlan[key] ?? []).entries()) {
      const at = [...path, key, position];
      if (!isPortOrChannel(generation, at, member)) continue;
      const row = `${name}|${member}`;
      if (tables.has('VLAN_MEMBER', row)) report.problem(at, `${member} is a member of ${name} already`);
      tables.set('VLAN_MEMBER', row, { tagging_mode: mode });
    }
  };
  add('tagged_ports', 'tagged');
  add('untagged_ports', 'untagged');
}

function addVrrp({ distribution, tables, report }: Generation, path: Path, name: string, { vrrp }: VlanSettings): void {
  if (vrrp === undefined) return;
  const at = [...path, 'vrrp'];
  if (!distribution.vrrp) {
    report.problem(at, `${distribution.name} has no VRRP_INTERFACE; leave it out`);
    return;
  }
  const key = `Vrrp${vrrp.group}-v${vrrp.ip.includes(':') ? 6 : 4}`;
  if (tables.has('VRRP_INTERFACE', key))
    report.problem([...at, 'group'], `VRRP group ${vrrp.group} is used a second time`);
  tables.set('VRRP_INTERFACE', key, { parent_interface: name });
  tables.set('VRRP_INTERFACE', `${key}|${interfacePrefix(report, [...at, 'ip'], vrrp.ip)}`);
  if (vrrp.priority !== undefined) report.note([...at, 'priority'], 'is not written; set it with SONiC’s own command');
}
