import type { Mac } from '../mac.ts';

/** Ethertype of LLDP (IEEE 802.1AB-2016 §8.3). */
export const LLDP_ETHERTYPE = 0x88cc;

/** Destination addresses (IEEE 802.1AB-2016 table 7-1): how far a frame is carried. */
export const LldpDestination = {
  NEAREST_BRIDGE: '01:80:c2:00:00:0e',
  NEAREST_NON_TPMR_BRIDGE: '01:80:c2:00:00:03',
  NEAREST_CUSTOMER_BRIDGE: '01:80:c2:00:00:00',
} as const;

/** TLV types (IEEE 802.1AB-2016 table 8-1). */
export const LldpTlvType = {
  END: 0,
  CHASSIS_ID: 1,
  PORT_ID: 2,
  TTL: 3,
  PORT_DESCRIPTION: 4,
  SYSTEM_NAME: 5,
  SYSTEM_DESCRIPTION: 6,
  SYSTEM_CAPABILITIES: 7,
  MANAGEMENT_ADDRESS: 8,
  ORGANIZATION: 127,
} as const;

/** One TLV as it stands on the wire. */
export interface LldpTlv {
  /** 0–127. */
  readonly type: number;
  /** At most 511 bytes. */
  readonly value: Uint8Array;
}

/** An LLDP frame without loss, Ethernet header included; its values are windows on the frame, not copies. */
export interface LldpFrame {
  readonly destination: Mac;
  readonly source: Mac;
  /** The 16-bit tag control field, if an 802.1Q tag precedes the ethertype. LLDP is sent untagged, some send VLAN 0. */
  readonly vlanTag?: number;
  /** In wire order, End of LLDPDU left out. */
  readonly tlvs: readonly LldpTlv[];
  /** Whether an End of LLDPDU closes the list; it is optional since 802.1AB-2016 (§8.5.1). */
  readonly end: boolean;
  /** What follows the End: the zeros that fill an Ethernet frame. */
  readonly trailing: Uint8Array;
}
