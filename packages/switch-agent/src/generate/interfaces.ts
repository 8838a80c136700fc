import { IP_BITS } from '@ingot/wire';
import type { Generation } from './generate.ts';
import { interfaceAddressOf } from '../interface-address.ts';
import { interfacePrefix } from './interface-prefix.ts';
import { isPortOrChannel } from './port-channels.ts';
import { addVrf } from './vrf.ts';
import type { Path } from './report.ts';

const LINK_LOCAL = { ipv6_use_link_local_only: 'enable' } as const;
/** Of an interface in Linux (IFNAMSIZ less its zero), and in SONiC's model. */
const MAX_INTERFACE_NAME = 15;

/** INTERFACE and PORTCHANNEL_INTERFACE, VRF, VLAN_SUB_INTERFACE and LOOPBACK_INTERFACE. */
export function addInterfaces(generation: Generation): void {
  const { config, tables, report } = generation;
  const bound = new Map<string, string>();
  const bind = (path: Path, port: string, vrf: string): void => {
    const other = bound.get(port);
    if (other !== undefined && other !== vrf)
      report.problem(path, `${port} is in ${other} already; it can be in one VRF`);
    bound.set(port, vrf);
  };

  for (const [index, port] of (config.ports?.list ?? []).entries()) {
    const path = ['ports', 'list', index];
    const { name, vrf, ips = [] } = port;
    if (!tables.has('PORT', name)) continue;
    if (vrf !== undefined) {
      addVrf(generation, [...path, 'vrf'], vrf);
      bind([...path, 'vrf'], name, vrf);
    }
    if (vrf !== undefined || ips.length > 0) tables.set('INTERFACE', name, { vrf_name: vrf });
    for (const [position, ip] of ips.entries()) {
      tables.set('INTERFACE', `${name}|${interfacePrefix(report, [...path, 'ips', position], ip)}`);
    }
  }

  for (const [index, name] of (config.bgp_ports ?? []).entries()) {
    if (isPortOrChannel(generation, ['bgp_ports', index], name)) tables.set(tableOf(name), name, LINK_LOCAL);
  }

  for (const [key, { vrf, vni, unnumbered_interfaces: ports = [] }] of Object.entries(config.interconnects ?? {})) {
    const path = ['interconnects', key];
    if (vrf !== undefined) {
      addVrf(generation, [...path, 'vrf'], vrf);
      if (vni !== undefined) tables.set('VRF', vrf, { vni: String(vni) });
    } else if (vni !== undefined) {
      report.problem([...path, 'vni'], 'is of no VRF; write the vrf too, or leave it out');
    }
    for (const [position, name] of ports.entries()) {
      const at = [...path, 'unnumbered_interfaces', position];
      if (!isPortOrChannel(generation, at, name)) continue;
      if (vrf !== undefined) bind(at, name, vrf);
      tables.set(tableOf(name), name, { ...LINK_LOCAL, vrf_name: vrf });
    }
  }
  addSubinterfaces(generation);
  addLoopback(generation);
}

function tableOf(name: string): string {
  return name.startsWith('PortChannel') ? 'PORTCHANNEL_INTERFACE' : 'INTERFACE';
}

function addSubinterfaces(generation: Generation): void {
  const { config, tables, report } = generation;
  for (const [index, { port, vlan, cidr, cidrs = [], vrf }] of (config.vlan_subinterfaces ?? []).entries()) {
    const path = ['vlan_subinterfaces', index];
    if (!isPortOrChannel(generation, [...path, 'port'], port)) continue;
    const name = subinterfaceName(port, vlan);
    if (tables.has('VLAN_SUB_INTERFACE', name)) report.problem(path, `${port} has VLAN ${vlan} already`);
    if (vrf !== undefined) addVrf(generation, [...path, 'vrf'], vrf);
    // A short name does not say its VLAN reliably: SONiC wants it as a field then.
    const isShort = !name.startsWith(port);
    tables.set('VLAN_SUB_INTERFACE', name, {
      admin_status: 'up',
      vrf_name: vrf,
      vlan: isShort ? String(vlan) : undefined,
    });
    if (cidr !== undefined) {
      tables.set('VLAN_SUB_INTERFACE', `${name}|${interfacePrefix(report, [...path, 'cidr'], cidr)}`);
    }
    for (const [position, each] of cidrs.entries()) {
      tables.set('VLAN_SUB_INTERFACE', `${name}|${interfacePrefix(report, [...path, 'cidrs', position], each)}`);
    }
  }
}

/** `Ethernet0.1000`; where that is too long for Linux, SONiC's short form `Eth100.1000`. */
export function subinterfaceName(port: string, vlan: number): string {
  const name = `${port}.${vlan}`;
  if (name.length <= MAX_INTERFACE_NAME) return name;
  return name.replace(/^Ethernet/, 'Eth').replace(/^PortChannel/, 'Po');
}

function addLoopback({ config, tables, report }: Generation): void {
  if (config.loopback_address === undefined) return;
  const prefix = interfaceAddressOf(config.loopback_address);
  if (prefix === undefined) return;
  const [address = ''] = config.loopback_address.split('/');
  const whole = IP_BITS[prefix.family];
  if (prefix.length !== whole) report.problem(['loopback_address'], `write ${address} without a mask`);
  tables.set('LOOPBACK_INTERFACE', 'Loopback0');
  tables.set('LOOPBACK_INTERFACE', `Loopback0|${address}/${whole}`);
}
