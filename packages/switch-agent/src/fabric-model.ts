import type { LogLevel } from '@ingot/daemon';

/**
 * What the fabric side of a leaf is to be: the API's wishes and the local configuration, checked and in one normal form.
 * Lists are in natural order (Ethernet2 before Ethernet10), prefixes are canonical, and every port is in one role at
 * most, so that equal wishes give equal models.
 */
export interface FabricModel {
  /** The name of the switch. */
  readonly hostname: string;
  /** 1 to 4294967295. */
  readonly asn: number;
  /** An IPv4 address: router id, source of the VTEP. */
  readonly loopback: string;
  /** Whether routes that BGP installs get `loopback` as their source address. */
  readonly setSourceLoopback: boolean;
  /** That of the agent; also what FRR sends to syslog. */
  readonly logLevel: LogLevel;
  readonly managementRoutes: readonly ManagementRoute[];
  /** Ports towards the spines. */
  readonly uplinks: readonly string[];
  /** Ports in the PXE VLAN: no BGP. */
  readonly unprovisioned: readonly string[];
  readonly firewalls: readonly FirewallPort[];
  readonly vrfs: readonly TenantVrf[];
}

/** A static route whose next hop is in the management VRF. */
export interface ManagementRoute {
  /** CIDR, its host bits zero; `0.0.0.0/0` for the default route. */
  readonly prefix: string;
  /** An address of the same family. */
  readonly gateway: string;
}

/** A port with a firewall behind it: in the default VRF, speaking EVPN. */
export interface FirewallPort {
  readonly port: string;
  /** What it may announce: canonical CIDRs of both families, IPv4 first, none twice. Empty: nothing. */
  readonly cidrs: readonly string[];
  /** The VNIs that it is told about, ascending, none twice. */
  readonly vnis: readonly number[];
}

/** A tenant's VRF with the machines in it. */
export interface TenantVrf {
  /** `Vrf<vni>`. */
  readonly name: string;
  /** 1 to 16777215. */
  readonly vni: number;
  /** The VLAN on this switch that carries the VNI, from the pool; 0 once it is gone, while the VRF is taken down. */
  readonly vlan: number;
  /** Empty while the VRF is being taken down. */
  readonly ports: readonly string[];
  /** What its machines may announce: the fewest canonical CIDRs that cover the same, IPv4 first. Empty: nothing. */
  readonly cidrs: readonly string[];
}
