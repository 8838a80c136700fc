import type { Generation } from './generate.ts';
import { interfacePrefix } from './interface-prefix.ts';

/** DEVICE_METADATA, and everything about eth0. */
export function addManagement({ config, platform, distribution, mac, tables, report }: Generation): void {
  const routing = config.docker_routing_config_mode;
  if (routing !== undefined && !distribution.routingModes.includes(routing)) {
    const words = `${distribution.name} does not know ${routing}; write ${distribution.routingModes.join(' or ')}`;
    report.problem(['docker_routing_config_mode'], words);
  }
  tables.set('DEVICE_METADATA', 'localhost', {
    hostname: config.hostname,
    hwsku: platform.hwsku,
    mac,
    platform: platform.name,
    type: 'LeafRouter',
    docker_routing_config_mode: routing,
    frr_mgmt_framework_config: String(config.frr_mgmt_framework_config ?? false),
  });

  if (config.hostname?.includes('_') === true) {
    report.note(['hostname'], 'has a "_", which the metal-stack API takes in no name of a switch');
  }

  const { ip, gateway_address: gateway } = config.mgmt_interface ?? {};
  tables.set('MGMT_PORT', 'eth0', { admin_status: 'up', alias: 'eth0', description: 'Management Port' });
  tables.set('MGMT_VRF_CONFIG', 'vrf_global', { mgmtVrfEnabled: String(config.mgmt_vrf ?? false) });
  if (ip === undefined) {
    if (gateway !== undefined) {
      report.problem(['mgmt_interface', 'gateway_address'], 'is of no address; write mgmt_interface.ip too');
    }
    return;
  }
  if (gateway === undefined) {
    report.note(['mgmt_interface'], 'has no gateway_address, which SONiC’s model asks for');
  } else if (gateway.includes(':') !== ip.includes(':')) {
    report.problem(['mgmt_interface', 'gateway_address'], `${gateway} and ${ip} are not of one kind`);
  }
  tables.set('MGMT_INTERFACE', `eth0|${interfacePrefix(report, ['mgmt_interface', 'ip'], ip)}`, { gwaddr: gateway });
}
