import { concatBytes } from '../bytes.ts';
import { setUint16 } from '../cursor.ts';
import { bytesOfMac } from '../mac.ts';
import type { Mac } from '../mac.ts';
import { bytesOfUtf8 } from '../text.ts';
import { LldpTlvType } from './frame.ts';
import type { LldpTlv } from './frame.ts';

const CHASSIS_SUBTYPE_MAC = 4;
const PORT_SUBTYPE_MAC = 3;
const PORT_SUBTYPE_INTERFACE_NAME = 5;
const PORT_SUBTYPE_LOCAL = 7;

/** Chassis ID by MAC, as servers and SONiC send it. */
export function chassisMacTlv(mac: Mac): LldpTlv {
  return identifier(LldpTlvType.CHASSIS_ID, CHASSIS_SUBTYPE_MAC, bytesOfMac(mac));
}

export function portMacTlv(mac: Mac): LldpTlv {
  return identifier(LldpTlvType.PORT_ID, PORT_SUBTYPE_MAC, bytesOfMac(mac));
}

export function portInterfaceNameTlv(name: string): LldpTlv {
  return identifier(LldpTlvType.PORT_ID, PORT_SUBTYPE_INTERFACE_NAME, bytesOfUtf8(name));
}

/** Locally assigned: what SONiC uses, with the port's alias. */
export function portLocalTlv(name: string): LldpTlv {
  return identifier(LldpTlvType.PORT_ID, PORT_SUBTYPE_LOCAL, bytesOfUtf8(name));
}

/** @param seconds 0–65535; 0 takes back what was said before. */
export function ttlTlv(seconds: number): LldpTlv {
  const value = new Uint8Array(2);
  setUint16(value, 0, seconds);
  return { type: LldpTlvType.TTL, value };
}

/** Port Description, System Name and System Description: types 4, 5 and 6. */
export function textTlv(type: 4 | 5 | 6, text: string): LldpTlv {
  return { type, value: bytesOfUtf8(text) };
}

function identifier(type: number, subtype: number, id: Uint8Array): LldpTlv {
  return { type, value: concatBytes([Uint8Array.of(subtype), id]) };
}
