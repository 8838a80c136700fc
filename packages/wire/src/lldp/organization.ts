import { byteAt, hex, view } from '../bytes.ts';
import { Cursor, uint16At, uint32At } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { trimNuls, utf8 } from '../text.ts';

/** Organizations whose TLVs are understood here, as the hex digits of their OUI. */
export const LldpOui = { IEEE_802_1: '0080c2', IEEE_802_3: '00120f', MED: '0012bb' } as const;

interface Organization {
  /** Six hex digits. */
  readonly oui: string;
  readonly subtype: number;
  /** Everything behind the subtype. */
  readonly data: Uint8Array;
}

/** Link aggregation: 802.1 subtype 7 (802.1AX) and its forerunner 802.3 subtype 3. */
export interface LinkAggregationTlv extends Organization {
  readonly kind: 'linkAggregation';
  readonly capable: boolean;
  readonly enabled: boolean;
  /** The aggregated port's interface number, 0 if not aggregated. */
  readonly portId: number;
}

/** Inventory texts of LLDP-MED (ANSI/TIA-1057 §10.2.6) by subtype, from 5 on. */
const MED_INVENTORY = [
  'hardwareRevision',
  'firmwareRevision',
  'softwareRevision',
  'serialNumber',
  'manufacturerName',
  'modelName',
  'assetId',
] as const;
const MED_INVENTORY_FIRST = 5;

/** An organizationally specific TLV (IEEE 802.1AB-2016 §8.6); `other` for those not understood here. */
export type OrganizationTlv =
  | (Organization & { readonly kind: 'other' })
  /** 802.1 subtype 1: the VLAN of untagged frames, 0 if none. */
  | (Organization & { readonly kind: 'portVlan'; readonly vlanId: number })
  /** 802.1 subtype 2. */
  | (Organization & {
      readonly kind: 'protocolVlan';
      readonly supported: boolean;
      readonly enabled: boolean;
      readonly vlanId: number;
    })
  /** 802.1 subtype 3. */
  | (Organization & { readonly kind: 'vlanName'; readonly vlanId: number; readonly name: string })
  | LinkAggregationTlv
  /** 802.3 subtype 1. `advertised` and `mauType` as in RFC 4836. */
  | (Organization & {
      readonly kind: 'macPhy';
      readonly autonegotiationSupported: boolean;
      readonly autonegotiationEnabled: boolean;
      readonly advertised: number;
      readonly mauType: number;
    })
  /** 802.3 subtype 4, in bytes. */
  | (Organization & { readonly kind: 'maxFrameSize'; readonly maxFrameBytes: number })
  /** MED subtype 1. `deviceType` 1–3 are endpoint classes, 4 is network connectivity. */
  | (Organization & { readonly kind: 'medCapabilities'; readonly capabilities: number; readonly deviceType: number })
  /** MED subtypes 5–11. */
  | (Organization & {
      readonly kind: 'medInventory';
      readonly item: (typeof MED_INVENTORY)[number];
      readonly text: string;
    });

/** The value of a TLV of type 127. A known subtype of the wrong length is refused. */
export function decodeOrganization(value: Uint8Array): Decoded<OrganizationTlv> {
  if (value.length < 4) return malformed(0, `an OUI and a subtype are expected, not ${value.length} bytes`);
  const oui = hex(view(value, 0, 3));
  const subtype = byteAt(value, 3);
  const data = view(value, 4, value.length);
  const base: Organization = { oui, subtype, data };
  const decoded = decodeKnown(base);
  if (decoded === undefined) return accept({ ...base, kind: 'other' });
  return decoded.ok ? decoded : malformed(4 + decoded.offset, `${oui} subtype ${subtype}: ${decoded.reason}`);
}

function decodeKnown(base: Organization): Decoded<OrganizationTlv> | undefined {
  switch (base.oui) {
    case LldpOui.IEEE_802_1:
      return decode8021(base);
    case LldpOui.IEEE_802_3:
      return decode8023(base);
    case LldpOui.MED:
      return decodeMed(base);
    default:
      return undefined;
  }
}

function decode8021(base: Organization): Decoded<OrganizationTlv> | undefined {
  const { data } = base;
  switch (base.subtype) {
    case 1:
      return sized(data, 2) ?? accept({ ...base, kind: 'portVlan', vlanId: uint16At(data, 0) });
    case 2: {
      const flags = byteAt(data, 0);
      return (
        sized(data, 3) ??
        accept({
          ...base,
          kind: 'protocolVlan',
          supported: (flags & 2) !== 0,
          enabled: (flags & 4) !== 0,
          vlanId: uint16At(data, 1),
        })
      );
    }
    case 3: {
      const cursor = new Cursor(data);
      const vlanId = cursor.uint16('VLAN id');
      const name = cursor.take(cursor.uint8('name length'), 'VLAN name');
      return cursor.overrun ?? accept({ ...base, kind: 'vlanName', vlanId, name: utf8(name) });
    }
    case 7:
      return linkAggregation(base);
    default:
      return undefined;
  }
}

function decode8023(base: Organization): Decoded<OrganizationTlv> | undefined {
  const { data } = base;
  switch (base.subtype) {
    case 1: {
      const flags = byteAt(data, 0);
      return (
        sized(data, 5) ??
        accept({
          ...base,
          kind: 'macPhy',
          autonegotiationSupported: (flags & 1) !== 0,
          autonegotiationEnabled: (flags & 2) !== 0,
          advertised: uint16At(data, 1),
          mauType: uint16At(data, 3),
        })
      );
    }
    case 3:
      return linkAggregation(base);
    case 4:
      return sized(data, 2) ?? accept({ ...base, kind: 'maxFrameSize', maxFrameBytes: uint16At(data, 0) });
    default:
      return undefined;
  }
}

function decodeMed(base: Organization): Decoded<OrganizationTlv> | undefined {
  const { data, subtype } = base;
  if (subtype === 1) {
    return (
      sized(data, 3) ??
      accept({ ...base, kind: 'medCapabilities', capabilities: uint16At(data, 0), deviceType: byteAt(data, 2) })
    );
  }
  const item = MED_INVENTORY[subtype - MED_INVENTORY_FIRST];
  return item && accept({ ...base, kind: 'medInventory', item, text: utf8(trimNuls(data)) });
}

function linkAggregation(base: Organization): Decoded<LinkAggregationTlv> {
  const flags = byteAt(base.data, 0);
  return (
    sized(base.data, 5) ??
    accept({
      ...base,
      kind: 'linkAggregation',
      capable: (flags & 1) !== 0,
      enabled: (flags & 2) !== 0,
      portId: uint32At(base.data, 1),
    })
  );
}

function sized(data: Uint8Array, length: number): ReturnType<typeof malformed> | undefined {
  return data.length === length ? undefined : malformed(0, `has ${data.length} bytes, not ${length}`);
}
