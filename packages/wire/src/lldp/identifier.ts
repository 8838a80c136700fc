import { byteAt, hex, view } from '../bytes.ts';
import { ipv4At } from '../ipv4.ts';
import { macAt } from '../mac.ts';
import type { Mac } from '../mac.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { trimNuls, utf8 } from '../text.ts';

/** IANA address family numbers. */
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** Chassis ID subtypes (IEEE 802.1AB-2016 table 8-2) by number. */
const CHASSIS_KINDS = [
  'reserved',
  'chassisComponent',
  'interfaceAlias',
  'portComponent',
  'mac',
  'networkAddress',
  'interfaceName',
  'local',
] as const;

/** Port ID subtypes (table 8-3) by number. */
const PORT_KINDS = [
  'reserved',
  'interfaceAlias',
  'portComponent',
  'mac',
  'networkAddress',
  'interfaceName',
  'agentCircuitId',
  'local',
] as const;

interface Identifier<Kind extends string> {
  /** The number on the wire; 8 and more are `reserved`. */
  readonly subtype: number;
  readonly kind: Kind;
  /** 1–255 bytes. */
  readonly raw: Uint8Array;
  /** For people and for comparing: a MAC, an IP address, the text itself; for other bytes their hex digits. */
  readonly text: string;
  /** Set exactly if `kind` is `mac`. */
  readonly mac?: Mac;
}

export type ChassisId = Identifier<(typeof CHASSIS_KINDS)[number]>;
export type PortId = Identifier<(typeof PORT_KINDS)[number]>;

/** The value of a Chassis ID TLV (§8.5.2). */
export function decodeChassisId(value: Uint8Array): Decoded<ChassisId> {
  return decodeIdentifier(value, (subtype) => CHASSIS_KINDS[subtype] ?? 'reserved');
}

/** The value of a Port ID TLV (§8.5.3). */
export function decodePortId(value: Uint8Array): Decoded<PortId> {
  return decodeIdentifier(value, (subtype) => PORT_KINDS[subtype] ?? 'reserved');
}

function decodeIdentifier<Kind extends string>(
  value: Uint8Array,
  kindOf: (subtype: number) => Kind,
): Decoded<Identifier<Kind>> {
  if (value.length < 2 || value.length > 256) {
    return malformed(0, `a subtype and 1 to 255 bytes are expected, not ${value.length} bytes in all`);
  }
  const subtype = byteAt(value, 0);
  const kind = kindOf(subtype);
  const raw = view(value, 1, value.length);
  if (kind === 'mac') {
    if (raw.length !== 6) return malformed(1, `a MAC address has 6 bytes, not ${raw.length}`);
    const mac = macAt(raw, 0);
    return accept({ subtype, kind, raw, text: mac, mac });
  }
  return accept({ subtype, kind, raw, text: kind === 'networkAddress' ? networkAddressText(raw) : readable(raw) });
}

/** An IANA address family number and an address, as text. */
export function networkAddressText(bytes: Uint8Array): string {
  const family = byteAt(bytes, 0);
  const address = view(bytes, 1, bytes.length);
  if (family === FAMILY_IPV4 && address.length === 4) return ipv4At(address, 0);
  if (family === FAMILY_IPV6 && address.length === 16) return hex(address).replaceAll(/.{4}(?!$)/g, '$&:');
  return hex(bytes);
}

/** Text if it can be shown, else hex digits: "local" identifiers may be anything. */
function readable(bytes: Uint8Array): string {
  const text = utf8(trimNuls(bytes));
  return /^[^\p{Cc}\uFFFD]+$/u.test(text) ? text : hex(bytes);
}
