import type { RoutingMode } from '../platform/distribution.ts';

export const FEC_MODES = ['none', 'rs', 'fc', 'auto'] as const;

export interface PortSettings {
  readonly name: string;
  readonly ips?: readonly string[] | undefined;
  readonly mtu?: number | undefined;
  readonly fec?: (typeof FEC_MODES)[number] | undefined;
  readonly autoneg?: 'on' | 'off' | undefined;
  /** Mbit/s. */
  readonly speed?: number | undefined;
  readonly vrf?: string | undefined;
  readonly description?: string | undefined;
  readonly admin_status?: 'up' | 'down' | undefined;
}

export interface PortChannelSettings {
  /** As written, with its zeros. */
  readonly number: string;
  readonly mtu?: number | undefined;
  readonly fallback?: boolean | undefined;
  readonly members?: readonly string[] | undefined;
}

export interface MclagSettings {
  readonly keepalive_vlan?: number | undefined;
  readonly member_port_channels?: readonly string[] | undefined;
  readonly peer_ip?: string | undefined;
  readonly peer_link?: string | undefined;
  readonly source_ip?: string | undefined;
  readonly system_mac?: string | undefined;
}

export interface VlanSettings {
  readonly id: number;
  readonly ip?: string | undefined;
  readonly vrf?: string | undefined;
  readonly dhcp_servers?: readonly string[] | undefined;
  readonly tagged_ports?: readonly string[] | undefined;
  readonly untagged_ports?: readonly string[] | undefined;
  readonly sag?: boolean | undefined;
  readonly vrrp?: { readonly group: number; readonly ip: string; readonly priority?: number | undefined } | undefined;
}

export interface SubinterfaceSettings {
  readonly port: string;
  readonly vlan: number;
  readonly cidr?: string | undefined;
  readonly cidrs?: readonly string[] | undefined;
  readonly vrf?: string | undefined;
}

export interface InterconnectSettings {
  readonly vrf?: string | undefined;
  readonly vni?: number | undefined;
  readonly unnumbered_interfaces?: readonly string[] | undefined;
}

export interface TunnelMapSettings {
  readonly vni: number;
  /** `Vlan4000` or `4000`. */
  readonly vlan: string;
  readonly comment?: string | undefined;
}

export interface SflowSettings {
  readonly enabled?: boolean | undefined;
  /** Seconds. */
  readonly polling_interval?: number | undefined;
  readonly collectors?:
    | ReadonlyArray<{
        readonly name: string;
        readonly ip: string;
        readonly port?: number | undefined;
        readonly vrf?: 'default' | 'mgmt' | undefined;
      }>
    | undefined;
  readonly sessions?:
    | ReadonlyArray<{
        readonly interface: string;
        readonly enabled?: boolean | undefined;
        readonly sample_rate?: number | undefined;
      }>
    | undefined;
}

/** `sonic-config.yaml`: the keys and their meaning are those of metal-stack's sonic-configdb-utils. */
export interface SonicConfig {
  readonly hostname?: string | undefined;
  readonly docker_routing_config_mode?: RoutingMode | undefined;
  readonly frr_mgmt_framework_config?: boolean | undefined;
  readonly bgp_ports?: readonly string[] | undefined;
  readonly interconnects?: Readonly<Record<string, InterconnectSettings>> | undefined;
  readonly breakouts?: Readonly<Record<string, string>> | undefined;
  readonly ports?:
    | {
        readonly default_autoneg?: 'on' | 'off' | undefined;
        readonly default_fec?: (typeof FEC_MODES)[number] | undefined;
        readonly default_mtu?: number | undefined;
        readonly list?: readonly PortSettings[] | undefined;
      }
    | undefined;
  readonly portchannels?:
    | { readonly default_mtu?: number | undefined; readonly list?: readonly PortChannelSettings[] | undefined }
    | undefined;
  readonly mclag?: MclagSettings | undefined;
  readonly vlans?: readonly VlanSettings[] | undefined;
  readonly vlan_subinterfaces?: readonly SubinterfaceSettings[] | undefined;
  readonly sag?: { readonly mac?: string | undefined } | undefined;
  readonly vtep?:
    | { readonly enabled?: boolean | undefined; readonly vxlan_tunnel_maps?: readonly TunnelMapSettings[] | undefined }
    | undefined;
  readonly loopback_address?: string | undefined;
  readonly mgmt_interface?:
    | { readonly ip?: string | undefined; readonly gateway_address?: string | undefined }
    | undefined;
  readonly mgmt_vrf?: boolean | undefined;
  readonly nameservers?: readonly string[] | undefined;
  readonly ntp?:
    | {
        readonly servers?: readonly string[] | undefined;
        readonly src_interface?: string | undefined;
        readonly vrf?: 'default' | 'mgmt' | undefined;
      }
    | undefined;
  /** Seconds. */
  readonly lldp_hello_time?: number | undefined;
  readonly features?:
    | Readonly<Record<string, { readonly auto_restart?: boolean | undefined; readonly enabled?: boolean | undefined }>>
    | undefined;
  readonly ssh_sourceranges?: readonly string[] | undefined;
  readonly sflow?: SflowSettings | undefined;
}
