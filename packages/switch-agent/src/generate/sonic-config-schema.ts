import { z } from 'zod';
import { ROUTING_MODES } from '../platform/distribution.ts';
import { FEC_MODES, type SonicConfig } from './sonic-config.ts';
import { flag, host, interfaceIp, ip, ipv4, line, mac, matching, oneOf, onOff, whole, word } from './field-types.ts';

const mtu = (): z.ZodType<number, string> => whole(68, 9216, ' bytes');
const vlanId = (): z.ZodType<number, string> => whole(1, 4094);
const vni = (): z.ZodType<number, string> => whole(1, 16_777_215);

const port = z.object({
  name: word().describe('a port as it is called after the breakouts'),
  ips: z.array(interfaceIp()).optional().describe('its addresses, with masks'),
  mtu: mtu().optional(),
  fec: oneOf(FEC_MODES).optional(),
  autoneg: onOff().optional(),
  speed: whole(10, 1_600_000, ' Mbit/s').optional(),
  vrf: word().optional(),
  description: line(255).optional(),
  admin_status: oneOf(['up', 'down']).optional(),
});

const portChannel = z.object({
  number: matching(/^\d{1,4}$/, 'write a number of one to four digits, as "01"'),
  mtu: mtu().optional(),
  fallback: flag().optional().describe('bring up one member while the other side speaks no LACP; default true'),
  members: z.array(word()).optional(),
});

const vlan = z.object({
  id: vlanId(),
  ip: interfaceIp().optional(),
  vrf: word().optional(),
  dhcp_servers: z.array(ip()).optional(),
  tagged_ports: z.array(word()).optional(),
  untagged_ports: z.array(word()).optional(),
  sag: flag().optional().describe('static anycast gateway'),
  vrrp: z.object({ group: whole(1, 255), ip: interfaceIp(), priority: whole(1, 254).optional() }).optional(),
});

const subinterface = z.object({
  port: word(),
  vlan: vlanId(),
  cidr: interfaceIp().optional(),
  cidrs: z.array(interfaceIp()).optional(),
  vrf: word().optional(),
});

/** What metal-roles renders into the same file for the frr.conf that it makes. None of it is CONFIG_DB's. */
const FRR_KEYS = [
  'announcements',
  'bfd_parameters',
  'bgp_md5_password',
  'bgp_timers',
  'evpn_peer',
  'extended_neighbors',
  'keep_private_as',
  'neighbor_ip',
  'neighbors',
  'no_default_ipv4family',
  'peer_group',
  'prefixlists',
  'remote_as',
  'routemap_in',
  'routemap_out',
  'routemaps',
  'static_routes',
  'vlan',
] as const;

const interconnect = z.object({
  ...Object.fromEntries(FRR_KEYS.map((key) => [key, z.unknown().optional()])),
  vrf: word().optional(),
  vni: vni().optional(),
  unnumbered_interfaces: z.array(word()).optional(),
});

/** Keys that older generators had, and what has taken their place. */
export const RETIRED_KEYS: Readonly<Record<string, string>> = {
  device_metadata: 'the platform, the SKU and the MAC are read from the switch',
  ntpservers: 'write ntp.servers',
  vlan_members: 'the members are written whenever a VLAN has any',
  vteps: 'write vtep.vxlan_tunnel_maps',
};

/** `sonic-config.yaml`, every scalar of it as the text that it is written as. */
export const sonicConfigSchema: z.ZodType<SonicConfig> = z.object({
  hostname: matching(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'write a host name: letters, digits and "-", at most 63',
  ).optional(),
  docker_routing_config_mode: oneOf(ROUTING_MODES).optional(),
  frr_mgmt_framework_config: flag().optional(),
  bgp_ports: z.array(word()).optional().describe('ports with link-local addresses only, for BGP unnumbered'),
  interconnects: z.record(z.string(), interconnect).optional(),
  breakouts: z.record(z.string(), z.string()).optional().describe('cage: mode, as Ethernet0: 4x25G'),
  ports: z
    .object({
      default_autoneg: onOff().optional(),
      default_fec: oneOf(FEC_MODES).optional(),
      default_mtu: mtu().optional(),
      list: z.array(port).optional(),
    })
    .optional(),
  portchannels: z.object({ default_mtu: mtu().optional(), list: z.array(portChannel).optional() }).optional(),
  mclag: z
    .object({
      keepalive_vlan: vlanId().optional(),
      member_port_channels: z.array(portChannel.shape.number).optional(),
      peer_ip: ipv4().optional(),
      peer_link: word().optional(),
      source_ip: ipv4().optional(),
      system_mac: mac().optional(),
    })
    .optional(),
  vlans: z.array(vlan).optional(),
  vlan_subinterfaces: z.array(subinterface).optional(),
  sag: z.object({ mac: mac().optional() }).optional(),
  vtep: z
    .object({
      enabled: flag().optional(),
      vxlan_tunnel_maps: z
        .array(
          z.object({
            vni: vni(),
            vlan: matching(/^(?:Vlan)?[1-9]\d{0,3}$/, 'write a VLAN, as Vlan4000'),
            comment: line(255).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  loopback_address: interfaceIp().optional(),
  mgmt_interface: z.object({ ip: interfaceIp().optional(), gateway_address: ip().optional() }).optional(),
  mgmt_vrf: flag().optional(),
  nameservers: z.array(ip()).optional(),
  ntp: z
    .object({
      servers: z.array(host()).optional(),
      src_interface: word().optional(),
      vrf: oneOf(['default', 'mgmt']).optional(),
    })
    .optional(),
  lldp_hello_time: whole(5, 254, ' seconds').optional(),
  features: z.record(z.string(), z.object({ auto_restart: flag().optional(), enabled: flag().optional() })).optional(),
  ssh_sourceranges: z.array(interfaceIp()).optional(),
  sflow: z
    .object({
      enabled: flag().optional(),
      polling_interval: whole(0, 300, ' seconds').optional(),
      collectors: z
        .array(
          z.object({
            name: word(),
            ip: ip(),
            port: whole(1, 65_535).optional(),
            vrf: oneOf(['default', 'mgmt']).optional(),
          }),
        )
        .optional(),
      sessions: z
        .array(
          z.object({ interface: word(), enabled: flag().optional(), sample_rate: whole(256, 8_388_608).optional() }),
        )
        .optional(),
    })
    .optional(),
  device_metadata: z.unknown().optional(),
  ntpservers: z.unknown().optional(),
  vlan_members: z.unknown().optional(),
  vteps: z.unknown().optional(),
});
