import { byteAt, hex } from '../bytes.ts';
import { Cursor, uint16At } from '../cursor.ts';
import { ipv4OfBytes } from '../ipv4.ts';
import type { Ipv4 } from '../ipv4.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Malformed } from '../result.ts';
import { trimNuls, utf8 } from '../text.ts';
import { LldpTlvType } from './frame.ts';
import type { LldpFrame, LldpTlv } from './frame.ts';
import { decodeChassisId, decodePortId, networkAddressText } from './identifier.ts';
import type { ChassisId, PortId } from './identifier.ts';
import { decodeOrganization } from './organization.ts';
import type { OrganizationTlv } from './organization.ts';

/** Bits of System Capabilities (IEEE 802.1AB-2016 table 8-4). */
export const LldpCapability = {
  OTHER: 0x001,
  REPEATER: 0x002,
  BRIDGE: 0x004,
  WLAN_ACCESS_POINT: 0x008,
  ROUTER: 0x010,
  TELEPHONE: 0x020,
  DOCSIS: 0x040,
  STATION: 0x080,
  CVLAN: 0x100,
  SVLAN: 0x200,
  TWO_PORT_MAC_RELAY: 0x400,
} as const;

export interface LldpManagementAddress {
  /** IANA address family: 1 = IPv4, 2 = IPv6, 6 = MAC. */
  readonly family: number;
  /** As text; hex digits for families other than IP. */
  readonly text: string;
  /** Set exactly if it is an IPv4 address. */
  readonly ipv4?: Ipv4;
  /** 1 = unknown, 2 = ifIndex, 3 = system port number: what `interfaceNumber` is. */
  readonly interfaceSubtype: number;
  readonly interfaceNumber: number;
  readonly oid: Uint8Array;
}

/** What a frame says of the station that sent it. */
export interface LldpNeighbour {
  readonly chassisId: ChassisId;
  readonly portId: PortId;
  /** How long to believe this; 0 = the sender takes everything back ("shutdown", §9.1.2.2). */
  readonly ttlSeconds: number;
  readonly shutdown: boolean;
  readonly portDescription?: string;
  readonly systemName?: string;
  readonly systemDescription?: string;
  /** Bits of `LldpCapability`. */
  readonly capabilities?: { readonly supported: number; readonly enabled: number };
  readonly managementAddresses: readonly LldpManagementAddress[];
  readonly organization: readonly OrganizationTlv[];
  /** TLVs of types that the standard reserves. */
  readonly unknown: readonly LldpTlv[];
  /** TLVs left out because their value is wrong; these do not spoil the rest (§9.2.7.7.2). */
  readonly discarded: readonly Malformed[];
}

/**
 * Reads a frame by the rules of §9.2.7.7: Chassis ID, Port ID and TTL must come first, in this order, once and well
 * formed, else the frame is refused. Of the optional TLVs, a malformed or repeated one is discarded alone. Offsets
 * count from the first TLV.
 */
export function readNeighbour(frame: Pick<LldpFrame, 'tlvs'>): Decoded<LldpNeighbour> {
  const [first, second, third, ...others] = frame.tlvs;
  if (first?.type !== LldpTlvType.CHASSIS_ID) return malformed(0, 'the first TLV is not a Chassis ID');
  const portOffset = tlvBytes(first);
  if (second?.type !== LldpTlvType.PORT_ID) return malformed(portOffset, 'the second TLV is not a Port ID');
  const ttlOffset = portOffset + tlvBytes(second);
  if (third?.type !== LldpTlvType.TTL) return malformed(ttlOffset, 'the third TLV is not a Time To Live');
  const chassisId = within(0, 'Chassis ID', decodeChassisId(first.value));
  if (!chassisId.ok) return chassisId;
  const portId = within(portOffset, 'Port ID', decodePortId(second.value));
  if (!portId.ok) return portId;
  if (third.value.length < 2) return malformed(ttlOffset, `Time To Live has ${third.value.length} bytes, fewer than 2`);
  const ttlSeconds = uint16At(third.value, 0);

  const optional = new OptionalTlvs();
  let offset = ttlOffset + tlvBytes(third);
  for (const tlv of others) {
    if (tlv.type <= LldpTlvType.TTL) return malformed(offset, `TLV ${tlv.type} is repeated`);
    optional.add(tlv, offset);
    offset += tlvBytes(tlv);
  }
  return accept({
    chassisId: chassisId.value,
    portId: portId.value,
    ttlSeconds,
    shutdown: ttlSeconds === 0,
    ...optional.once,
    managementAddresses: optional.managementAddresses,
    organization: optional.organization,
    unknown: optional.unknown,
    discarded: optional.discarded,
  });
}

type Once = Pick<LldpNeighbour, 'portDescription' | 'systemName' | 'systemDescription' | 'capabilities'>;

class OptionalTlvs {
  once: Once = {};
  readonly managementAddresses: LldpManagementAddress[] = [];
  readonly organization: OrganizationTlv[] = [];
  readonly unknown: LldpTlv[] = [];
  readonly discarded: Malformed[] = [];
  readonly #seen = new Set<number>();

  add(tlv: LldpTlv, offset: number): void {
    switch (tlv.type) {
      case LldpTlvType.PORT_DESCRIPTION:
        this.#addOnce(tlv, offset, { portDescription: text(tlv) });
        break;
      case LldpTlvType.SYSTEM_NAME:
        this.#addOnce(tlv, offset, { systemName: text(tlv) });
        break;
      case LldpTlvType.SYSTEM_DESCRIPTION:
        this.#addOnce(tlv, offset, { systemDescription: text(tlv) });
        break;
      case LldpTlvType.SYSTEM_CAPABILITIES:
        if (tlv.value.length !== 4) {
          this.discarded.push(malformed(offset, `System Capabilities has ${tlv.value.length} bytes, not 4`));
          break;
        }
        this.#addOnce(tlv, offset, {
          capabilities: { supported: uint16At(tlv.value, 0), enabled: uint16At(tlv.value, 2) },
        });
        break;
      case LldpTlvType.MANAGEMENT_ADDRESS:
        this.#addList(
          this.managementAddresses,
          within(offset, 'Management Address', decodeManagementAddress(tlv.value)),
        );
        break;
      case LldpTlvType.ORGANIZATION:
        this.#addList(this.organization, within(offset, 'organization TLV', decodeOrganization(tlv.value)));
        break;
      default:
        this.unknown.push(tlv);
    }
  }

  #addOnce(tlv: LldpTlv, offset: number, fields: Once): void {
    if (this.#seen.has(tlv.type)) this.discarded.push(malformed(offset, `TLV ${tlv.type} is repeated`));
    else this.once = { ...this.once, ...fields };
    this.#seen.add(tlv.type);
  }

  #addList<T>(list: T[], decoded: Decoded<T>): void {
    if (decoded.ok) list.push(decoded.value);
    else this.discarded.push(decoded);
  }
}

/** The value of a Management Address TLV (§8.5.9). */
export function decodeManagementAddress(value: Uint8Array): Decoded<LldpManagementAddress> {
  const cursor = new Cursor(value);
  const length = cursor.uint8('address length');
  if (length < 2 || length > 32) return malformed(0, `an address of ${length} bytes is not within 2 to 32`);
  const address = cursor.take(length, 'address');
  const interfaceSubtype = cursor.uint8('interface subtype');
  const interfaceNumber = cursor.uint32('interface number');
  const oid = cursor.take(cursor.uint8('OID length'), 'OID');
  if (cursor.overrun !== undefined) return cursor.overrun;
  const family = byteAt(address, 0);
  const ipv4 = family === 1 ? ipv4OfBytes(address.subarray(1)) : undefined;
  return accept({
    family,
    text: family === 1 || family === 2 ? networkAddressText(address) : hex(address.subarray(1)),
    ...(ipv4?.ok && { ipv4: ipv4.value }),
    interfaceSubtype,
    interfaceNumber,
    oid,
  });
}

/** Header and value. */
function tlvBytes(tlv: LldpTlv): number {
  return 2 + tlv.value.length;
}

function text(tlv: LldpTlv): string {
  return utf8(trimNuls(tlv.value));
}

/** A refusal within a TLV's value as one within the frame. */
function within<T>(offset: number, name: string, decoded: Decoded<T>): Decoded<T> {
  return decoded.ok ? decoded : malformed(offset + 2 + decoded.offset, `${name}: ${decoded.reason}`);
}
