import type { IncludeFile } from './include-file.ts';

/** A VRF of the operator's, which the API knows nothing of. */
export interface StaticVrf {
  readonly name: string;
  /** Its L3 VNI, 1 to 16777215; absent: EVPN has no part in it. */
  readonly vni?: number | undefined;
}

/** What `frr.conf` has beside the fabric. */
export interface RenderSettings {
  /** Whether zebra has to be told where SONiC's forwarding plane manager listens. */
  readonly fpm: boolean;
  /** Whether the daemons have FRR's SNMP module: without it they refuse `agentx`. */
  readonly snmp: boolean;
  /** What is connected there is never announced. */
  readonly managementInterface: string;
  /** The VRF of the management routes' next hops. */
  readonly managementVrf: string;
  /** Whether IPv6 routes of the default VRF are exchanged with the spines as well. */
  readonly ipv6Underlay: boolean;
  readonly staticVrfs: readonly StaticVrf[];
  /** The operator's lines that follow the head. */
  readonly before?: IncludeFile | undefined;
  /** The operator's lines at the end. */
  readonly after?: IncludeFile | undefined;
}
