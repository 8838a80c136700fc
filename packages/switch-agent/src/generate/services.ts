import type { Generation } from './generate.ts';
import { interfaceAddressOf } from '../interface-address.ts';
import { interfacePrefix } from './interface-prefix.ts';
import { isPortOrChannel } from './port-channels.ts';
import { isPort } from './ports.ts';

/** What resolv.conf(5) and SONiC's model take. */
const MAX_NAMESERVERS = 3;
/** What SONiC's model takes. */
const MAX_NTP_SERVERS = 10;
const MAX_SFLOW_COLLECTORS = 2;
const SFLOW_PORT = 6343;
const LEAST_SFLOW_POLLING_SECONDS = 5;

/** What can stand in a key, as long as SONiC's model takes it. */
const FEATURE_NAME = /^[^\s|]{1,32}$/;

/** Name servers, NTP, LLDP, features, who may use SSH, and sFlow. */
export function addServices(generation: Generation): void {
  const { config, distribution, tables, report } = generation;
  const { nameservers = [], features = {} } = config;
  if (nameservers.length > MAX_NAMESERVERS) {
    report.problem(['nameservers', MAX_NAMESERVERS], `SONiC takes ${MAX_NAMESERVERS}; leave the others out`);
  }
  for (const server of nameservers) tables.set('DNS_NAMESERVER', server);
  addNtp(generation);
  if (config.lldp_hello_time !== undefined) {
    const { key, field } = distribution.lldp;
    tables.set('LLDP', key, { [field]: String(config.lldp_hello_time) });
  }
  for (const [name, { auto_restart: restart, enabled }] of Object.entries(features)) {
    if (!FEATURE_NAME.test(name)) {
      report.problem(['features', name], 'write the name of one of SONiC’s services, as dhcp_relay');
      continue;
    }
    tables.set('FEATURE', name, { auto_restart: state(restart), state: state(enabled) });
  }
  addSshRanges(generation);
  addSflow(generation);
}

function state(enabled: boolean | undefined): string {
  return enabled === true ? 'enabled' : 'disabled';
}

function addNtp(generation: Generation): void {
  const { config, tables, report } = generation;
  const { servers = [], src_interface: source = 'eth0', vrf } = config.ntp ?? {};
  const at = ['ntp', 'src_interface'];
  if (/^(?:Loopback|Vlan)/.test(source)) {
    const table = source.startsWith('Vlan') ? 'VLAN' : 'LOOPBACK_INTERFACE';
    if (!tables.has(table, source)) report.problem(at, `there is no ${source}; write eth0, or define it`);
    else if (table === 'VLAN') {
      report.note(
        at,
        'is a VLAN, which SONiC’s model does not take: "config apply-patch" will refuse; write Loopback0',
      );
    }
  } else if (source !== 'eth0') {
    isPortOrChannel(generation, at, source);
  }
  if (vrf === 'mgmt' && config.mgmt_vrf !== true) {
    report.problem(['ntp', 'vrf'], 'the VRF mgmt is there with "mgmt_vrf: true" only; write that, or "default" here');
  }
  if (servers.length > MAX_NTP_SERVERS) {
    report.problem(['ntp', 'servers', MAX_NTP_SERVERS], `SONiC takes ${MAX_NTP_SERVERS}; leave the others out`);
  }
  tables.set('NTP', 'global', { src_intf: source, vrf });
  for (const server of servers) tables.set('NTP_SERVER', server);
}

/** SSH from these ranges only, NTP from everywhere: caclmgrd drops what no rule lets in. */
function addSshRanges({ config, tables, report }: Generation): void {
  const ranges = config.ssh_sourceranges ?? [];
  if (ranges.length === 0) return;
  const allow = (service: string): string => {
    const name = `ALLOW_${service}`;
    tables.set('ACL_TABLE', name, {
      policy_desc: `Allow ${service} access`,
      services: [service],
      stage: 'ingress',
      type: 'CTRLPLANE',
    });
    return name;
  };
  const accept = { PACKET_ACTION: 'ACCEPT' } as const;
  const ssh = allow('SSH');
  for (const [index, range] of ranges.entries()) {
    const path = ['ssh_sourceranges', index];
    if (interfaceAddressOf(range)?.family !== 'ipv4')
      report.problem(path, 'SONiC’s control plane ACLs are of one kind; write an IPv4 range');
    const source = interfacePrefix(report, path, range);
    tables.set('ACL_RULE', `${ssh}|RULE_${index + 1}`, { ...accept, PRIORITY: `9${index + 1}`, SRC_IP: source });
  }
  tables.set('ACL_RULE', `${ssh}|DEFAULT_RULE`, { ETHER_TYPE: '2048', PACKET_ACTION: 'DROP', PRIORITY: '1' });
  tables.set('ACL_RULE', `${allow('NTP')}|RULE_1`, { ...accept, PRIORITY: '99', SRC_IP: '0.0.0.0/0' });
}

function addSflow(generation: Generation): void {
  const { config, tables, report } = generation;
  if (config.sflow === undefined) return;
  const { enabled = false, polling_interval: polling, collectors = [], sessions = [] } = config.sflow;
  const isShort = polling !== undefined && polling > 0 && polling < LEAST_SFLOW_POLLING_SECONDS;
  if (isShort) {
    report.note(
      ['sflow', 'polling_interval'],
      `SONiC takes 0 or ${LEAST_SFLOW_POLLING_SECONDS} to 300 seconds; ${LEAST_SFLOW_POLLING_SECONDS} is written`,
    );
  }
  const seconds = isShort ? LEAST_SFLOW_POLLING_SECONDS : polling;
  tables.set('SFLOW', 'global', {
    admin_state: enabled ? 'up' : 'down',
    polling_interval: seconds === undefined ? undefined : String(seconds),
  });
  tables.set('FEATURE', 'sflow', { auto_restart: 'enabled', state: state(enabled) });
  if (collectors.length > MAX_SFLOW_COLLECTORS) {
    report.problem(
      ['sflow', 'collectors', MAX_SFLOW_COLLECTORS],
      `SONiC takes ${MAX_SFLOW_COLLECTORS}; leave the others out`,
    );
  }
  for (const [index, { name, ip, port = SFLOW_PORT, vrf }] of collectors.entries()) {
    const path = ['sflow', 'collectors', index];
    if (tables.has('SFLOW_COLLECTOR', name))
      report.problem([...path, 'name'], `${name} stands in the list a second time`);
    if (vrf === 'mgmt' && config.mgmt_vrf !== true) {
      report.problem(
        [...path, 'vrf'],
        'the VRF mgmt is there with "mgmt_vrf: true" only; write that, or "default" here',
      );
    }
    tables.set('SFLOW_COLLECTOR', name, { collector_ip: ip, collector_port: String(port), collector_vrf: vrf });
  }
  for (const [index, { interface: name, enabled: up = true, sample_rate: rate }] of sessions.entries()) {
    const path = ['sflow', 'sessions', index];
    if (name !== 'all' && !isPort(generation, [...path, 'interface'], name)) continue;
    if (name === 'all' && rate !== undefined)
      report.problem([...path, 'sample_rate'], 'has to be set for each port; leave it out for all');
    tables.set('SFLOW_SESSION', name, {
      admin_state: up ? 'up' : 'down',
      sample_rate: rate === undefined ? undefined : String(rate),
    });
  }
}
