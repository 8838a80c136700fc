import type { ConfigDb } from '../../src/config-db/config-db.ts';

/**
 * A leaf as the agent runs it: an uplink, a port that boots by PXE, one of a machine in a VRF, one of a firewall, two
 * bonded; EVPN, management, services. Valid but for one table without a model.
 */
export function goodLeaf(): ConfigDb {
  return structuredClone(LEAF);
}

const port = (number: number, fields: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  admin_status: 'up',
  alias: `Eth${number + 1}/1`,
  index: `${number + 1}`,
  lanes: `${number + 1}`,
  mtu: '9000',
  speed: '25000',
  ...fields,
});

const LEAF: ConfigDb = {
  ACL_RULE: {
    'ALLOW_SSH|DEFAULT_RULE': { ETHER_TYPE: '2048', PACKET_ACTION: 'DROP', PRIORITY: '1' },
    'ALLOW_SSH|RULE_1': { PACKET_ACTION: 'ACCEPT', PRIORITY: '91', SRC_IP: '10.0.0.0/8' },
  },
  ACL_TABLE: {
    ALLOW_SSH: { policy_desc: 'Allow SSH access', services: ['SSH'], stage: 'ingress', type: 'CTRLPLANE' },
  },
  BREAKOUT_CFG: { Ethernet0: { brkout_mode: '4x25G[10G]' } },
  DEVICE_METADATA: {
    localhost: {
      docker_routing_config_mode: 'split-unified',
      hostname: 'leaf01',
      hwsku: 'Accton-AS7726-32X',
      mac: '02:00:00:00:00:01',
      platform: 'x86_64-accton_as7726_32x-r0',
      type: 'LeafRouter',
    },
  },
  DNS_NAMESERVER: { '10.0.0.53': {} },
  DSCP_TO_TC_MAP: { AZURE: { 0: '1', 46: '5' } },
  FEATURE: { dhcp_relay: { auto_restart: 'enabled', state: 'enabled' } },
  INTERFACE: {
    Ethernet0: { ipv6_use_link_local_only: 'enable' },
    Ethernet2: { ipv6_use_link_local_only: 'enable', vrf_name: 'Vrf104001' },
    Ethernet3: { ipv6_use_link_local_only: 'enable' },
    Ethernet6: {},
    'Ethernet6|10.2.0.0/31': {},
  },
  LLDP: { GLOBAL: { hello_time: '10' } },
  LOOPBACK_INTERFACE: { Loopback0: {}, 'Loopback0|10.0.0.11/32': {} },
  MGMT_INTERFACE: { 'eth0|172.16.0.11/24': { gwaddr: '172.16.0.1' } },
  MGMT_PORT: { eth0: { admin_status: 'up', alias: 'eth0', description: 'Management Port' } },
  MGMT_VRF_CONFIG: { vrf_global: { mgmtVrfEnabled: 'true' } },
  NTP: { global: { src_intf: 'eth0', vrf: 'mgmt' } },
  NTP_SERVER: { '0.pool.ntp.org': {} },
  PORT: {
    Ethernet0: port(0, { fec: 'rs', mtu: '9216' }),
    Ethernet1: port(1),
    Ethernet2: port(2),
    Ethernet3: port(3, { mtu: '9216' }),
    Ethernet4: port(4),
    Ethernet5: port(5),
    Ethernet6: port(6, { adv_speeds: '10000,25000', autoneg: 'on' }),
  },
  PORTCHANNEL: {
    PortChannel01: { admin_status: 'up', fast_rate: 'false', lacp_key: 'auto', min_links: '1', mtu: '9000' },
  },
  PORTCHANNEL_MEMBER: { 'PortChannel01|Ethernet4': {}, 'PortChannel01|Ethernet5': {} },
  SUPPRESS_VLAN_NEIGH: { Vlan1001: { suppress: 'on' } },
  TACPLUS: { global: { passkey: 'correct-horse' } },
  VLAN: { Vlan1001: { vlanid: '1001' }, Vlan4000: { dhcp_servers: ['10.0.0.67', '10.0.0.68'], vlanid: '4000' } },
  VLAN_INTERFACE: { Vlan1001: { vrf_name: 'Vrf104001' }, Vlan4000: {}, 'Vlan4000|10.0.1.1/24': {} },
  VLAN_MEMBER: {
    'Vlan4000|Ethernet1': { tagging_mode: 'untagged' },
    'Vlan4000|PortChannel01': { tagging_mode: 'tagged' },
  },
  VRF: { Vrf104001: { fallback: 'false', vni: '104001' } },
  VXLAN_EVPN_NVO: { nvo: { source_vtep: 'vtep' } },
  VXLAN_TUNNEL: { vtep: { src_ip: '10.0.0.11' } },
  VXLAN_TUNNEL_MAP: { 'vtep|map_104001_Vlan1001': { vlan: 'Vlan1001', vni: '104001' } },
};
