import type { TenantVrf } from '../fabric-model.ts';
import type { RowChange } from './tables.ts';

/** The kinds of steps that a plan is made of. */
export const Step = {
  /** Fields of a port, or of a row that stays where it is: changes nothing about what the port belongs to. */
  Tune: 'tune',
  /** FRR lets go of firewalls whose ports are about to leave the default VRF. */
  Withdraw: 'withdraw',
  /** A port leaves the PXE VLAN, or stops being routed. */
  Release: 'release',
  /** A tenant's VRF comes into being, with its VLAN and its tunnel map, or gets what it lacks. */
  Create: 'create',
  /** A port that belongs nowhere joins the PXE VLAN, the default VRF or a tenant's. */
  Bind: 'bind',
  /** A VLAN of the pool loses its VNI and its routed interface. */
  Unmap: 'unmap',
  RemoveVlan: 'remove-vlan',
  RemoveVrf: 'remove-vrf',
  /** FRR gets the configuration of the whole model. */
  Configure: 'configure',
} as const;
export type Step = (typeof Step)[keyof typeof Step];

/** One step of a plan. Its rows are written all at once, and only if each is still what it was seen to be. */
export interface Action {
  readonly step: Step;
  /** What a failure is told about: `Ethernet0`, `Vrf104001`, `Vlan1001`, `FRR`. */
  readonly subject: string;
  readonly port?: string;
  /** The VRF that is made, removed, joined or left. */
  readonly vrf?: string;
  readonly vlan?: number;
  /** Of a release: the port is in the default VRF, where FRR may have a neighbour on it. */
  readonly withdraw?: boolean;
  /** Of FRR's: the VRFs that it will refer to. */
  readonly refersTo?: readonly string[];
  /** Of FRR's: the VRFs that this plan takes down, and that FRR keeps until they are gone. */
  readonly drops?: readonly TenantVrf[];
  readonly changes: readonly RowChange[];
}

/**
 * Something that has to be so in hardware, in the kernel or in FRR before a step may be taken. SONiC's daemons follow
 * CONFIG_DB each at its own pace, so a row that is gone says nothing about them.
 */
export type Condition =
  | { readonly kind: 'port-free'; readonly port: string }
  | { readonly kind: 'withdrawn'; readonly port: string }
  | { readonly kind: 'vrf-ready'; readonly vrf: string }
  | { readonly kind: 'vrf-gone'; readonly vrf: string }
  | { readonly kind: 'vrf-without-ports'; readonly vrf: string }
  | { readonly kind: 'vrf-unused'; readonly vrf: string }
  | { readonly kind: 'port-settled'; readonly port: string; readonly as: 'routed' | 'bridged' }
  | { readonly kind: 'vlan-settled'; readonly vlan: number; readonly routed: boolean; readonly mapped: boolean }
  | { readonly kind: 'vlan-unmapped'; readonly vlan: number }
  | { readonly kind: 'vlan-gone'; readonly vlan: number };
