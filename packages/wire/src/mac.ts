import { brand } from './brand.ts';
import type { Branded } from './brand.ts';
import { hex, view } from './bytes.ts';
import { accept, malformed } from './result.ts';
import type { Decoded } from './result.ts';

/** A 48-bit Ethernet address, lowercase with colons: `52:54:00:00:01:01`. */
export type Mac = Branded<'Mac'>;

const COLONS_OR_DASHES = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4})$/i;
const DOTS = /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/i;
const BARE = /^[0-9a-f]{12}$/i;

/** Reads `52:54:00:00:01:01`, `52-54-…`, `5254.0000.0101` or twelve bare digits, in either case. */
export function parseMac(text: string): Decoded<Mac> {
  if (!COLONS_OR_DASHES.test(text) && !DOTS.test(text) && !BARE.test(text)) {
    return malformed(0, `${JSON.stringify(text)} is no MAC address such as 52:54:00:00:01:01`);
  }
  const digits = text.replaceAll(/[^0-9a-f]/gi, '').toLowerCase();
  return accept(brand<'Mac'>(digits.replaceAll(/..(?!$)/g, '$&:')));
}

/** Six bytes as a MAC. */
export function macOfBytes(bytes: Uint8Array): Decoded<Mac> {
  if (bytes.length !== 6) return malformed(0, `a MAC address has 6 bytes, not ${bytes.length}`);
  return accept(macAt(bytes, 0));
}

/** The address at `offset`; the caller has checked that six bytes are there. */
export function macAt(bytes: Uint8Array, offset: number): Mac {
  return brand<'Mac'>(hex(view(bytes, offset, offset + 6), ':'));
}

export function bytesOfMac(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (pair) => Number.parseInt(pair, 16));
}
