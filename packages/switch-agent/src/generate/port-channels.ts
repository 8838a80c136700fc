import { suggest } from '@ingot/daemon';
import type { Generation } from './generate.ts';
import { isPort } from './ports.ts';
import { unknownName, type Path } from './report.ts';

const DEFAULT_MTU = 9000;

/** PORTCHANNEL and its members, and MCLAG. */
export function addPortChannels(generation: Generation): void {
  const { config, distribution, tables, report } = generation;
  const { list = [], default_mtu: defaultMtu = DEFAULT_MTU } = config.portchannels ?? {};
  for (const [index, { number, mtu = defaultMtu, fallback = true, members = [] }] of list.entries()) {
    const path = ['portchannels', 'list', index];
    const name = `PortChannel${number}`;
    if (tables.has('PORTCHANNEL', name))
      report.problem([...path, 'number'], `${name} stands in the list a second time`);
    tables.set('PORTCHANNEL', name, {
      admin_status: 'up',
      fallback: String(fallback),
      fast_rate: 'false',
      lacp_key: 'auto',
      min_links: '1',
      mix_speed: distribution.mixSpeed ? 'false' : undefined,
      mtu: String(mtu),
    });
    for (const [position, member] of members.entries()) {
      if (isPort(generation, [...path, 'members', position], member)) {
        tables.set('PORTCHANNEL_MEMBER', `${name}|${member}`);
      }
    }
  }
  addMclag(generation);
}

/** Whether `name` is a port or a port channel; reports it when not. */
export function isPortOrChannel(generation: Generation, path: Path, name: string): boolean {
  if (!name.startsWith('PortChannel')) return isPort(generation, path, name);
  if (generation.tables.has('PORTCHANNEL', name)) return true;
  const known = Object.keys(generation.tables.toConfigDb()['PORTCHANNEL'] ?? {});
  generation.report.problem(path, unknownName('port channel', name, suggest(name, known), known));
  return false;
}

function addMclag(generation: Generation): void {
  const { config, distribution, tables, report } = generation;
  const mclag = config.mclag ?? {};
  if (Object.keys(mclag).length === 0) return;
  if (mclag.keepalive_vlan === undefined) {
    report.problem(['mclag'], 'has no keepalive_vlan; write the VLAN between the two switches, or leave mclag out');
    return;
  }
  const keepalive = mclag.keepalive_vlan;
  if (config.vlans?.some(({ id }) => id === keepalive) !== true) {
    report.problem(['mclag', 'keepalive_vlan'], `vlans has no VLAN ${keepalive}; write it there too`);
  }
  if (mclag.peer_link !== undefined) isPortOrChannel(generation, ['mclag', 'peer_link'], mclag.peer_link);
  if (mclag.system_mac !== undefined && !distribution.mclagSystemId) {
    report.note(['mclag', 'system_mac'], `is not written: ${distribution.name} has no field for it`);
  }
  tables.set('MCLAG_DOMAIN', '1', {
    mclag_system_id: distribution.mclagSystemId ? mclag.system_mac : undefined,
    peer_ip: mclag.peer_ip,
    peer_link: mclag.peer_link,
    source_ip: mclag.source_ip,
  });
  for (const [index, number] of (mclag.member_port_channels ?? []).entries()) {
    const name = `PortChannel${number}`;
    if (isPortOrChannel(generation, ['mclag', 'member_port_channels', index], name)) {
      tables.set('MCLAG_INTERFACE', `1|${name}`, { if_type: 'PortChannel' });
    }
  }
  tables.set('MCLAG_UNIQUE_IP', `Vlan${keepalive}`, { unique_ip: 'enable' });
}
