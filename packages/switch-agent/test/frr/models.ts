import type { FabricModel } from '../../src/fabric-model.ts';
import type { RenderSettings } from '../../src/frr/settings.ts';

/** A leaf with two uplinks and nothing else to do. */
export const bareModel: FabricModel = {
  hostname: 'leaf01',
  asn: 4_200_000_011,
  loopback: '10.0.0.11',
  setSourceLoopback: false,
  logLevel: 'info',
  managementRoutes: [],
  uplinks: ['Ethernet120', 'Ethernet124'],
  unprovisioned: ['Ethernet8'],
  firewalls: [],
  vrfs: [],
};

/** One port of each kind, both families. */
export const rackModel: FabricModel = {
  ...bareModel,
  setSourceLoopback: true,
  managementRoutes: [
    { prefix: '0.0.0.0/0', gateway: '10.9.9.1' },
    { prefix: '2001:db8:9::/48', gateway: '2001:db8:9::1' },
  ],
  firewalls: [
    { port: 'Ethernet2', cidrs: ['10.1.0.1/32', '2001:db8:1::1/128'], vnis: [104_001, 104_002] },
    { port: 'Ethernet10', cidrs: ['10.1.0.2/32'], vnis: [104_001] },
  ],
  vrfs: [
    { name: 'Vrf104001', vni: 104_001, vlan: 1001, ports: ['Ethernet0', 'Ethernet1'], cidrs: ['10.0.16.0/22'] },
    {
      name: 'Vrf104002',
      vni: 104_002,
      vlan: 1002,
      ports: ['Ethernet4'],
      cidrs: ['10.0.20.0/22', '203.0.113.7/32', '2001:db8:2::/64'],
    },
    { name: 'Vrf104003', vni: 104_003, vlan: 1003, ports: ['Ethernet5'], cidrs: ['2001:db8:3::/64'] },
  ],
};

/** Firewalls and machines that may announce nothing, and a VRF whose last machine has gone. */
export const closedModel: FabricModel = {
  ...bareModel,
  firewalls: [{ port: 'Ethernet2', cidrs: [], vnis: [] }],
  vrfs: [
    { name: 'Vrf7', vni: 7, vlan: 1001, ports: ['Ethernet0'], cidrs: [] },
    { name: 'Vrf8', vni: 8, vlan: 1002, ports: [], cidrs: ['10.8.0.0/16'] },
  ],
};

export const plainSettings: RenderSettings = {
  fpm: false,
  snmp: false,
  managementInterface: 'eth0',
  managementVrf: 'mgmt',
  ipv6Underlay: false,
  staticVrfs: [],
};

/** What a current image of SONiC needs, and an operator with wishes. */
export const fullSettings: RenderSettings = {
  ...plainSettings,
  fpm: true,
  snmp: true,
  ipv6Underlay: true,
  staticVrfs: [{ name: 'VrfInternet', vni: 104_999 }, { name: 'VrfLocal' }],
  before: {
    path: '/etc/ingot/frr.before.conf',
    text: 'ip prefix-list INTERNET-in seq 5 permit 0.0.0.0/0\nroute-map INTERNET-in permit 10\n match ip address prefix-list INTERNET-in\nexit\n',
  },
  after: {
    path: '/etc/ingot/frr.after.conf',
    text: 'router bgp 4200000011 vrf VrfInternet\n neighbor 192.0.2.1 remote-as 64999\n !\n address-family ipv4 unicast\n  neighbor 192.0.2.1 route-map INTERNET-in in\n exit-address-family\nexit\n!\nip route 198.51.100.0/24 192.0.2.1 vrf VrfInternet\n',
  },
};
