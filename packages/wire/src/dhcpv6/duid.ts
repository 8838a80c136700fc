import { hex, view } from '../bytes.ts';
import { setUint16, setUint32, uint16At, uint32At } from '../cursor.ts';
import { macOfBytes } from '../mac.ts';
import type { Mac } from '../mac.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';

export const DuidType = { LLT: 1, EN: 2, LL: 3, UUID: 4 } as const;

/** A DHCP unique identifier (RFC 8415 §11). Whom it names is told by its bytes alone: compare those. */
export type Duid =
  /** `time`: seconds since 2000-01-01 UTC, modulo 2^32. */
  | { readonly kind: 'llt'; readonly htype: number; readonly time: number; readonly linkLayer: Uint8Array }
  | { readonly kind: 'en'; readonly enterprise: number; readonly identifier: Uint8Array }
  | { readonly kind: 'll'; readonly htype: number; readonly linkLayer: Uint8Array }
  /**
   * RFC 6355: 16 bytes in network order; but EDK2 puts SMBIOS's bytes there, whose first three fields are
   * little-endian, and so each reader has to know its writer.
   */
  | { readonly kind: 'uuid'; readonly bytes: Uint8Array }
  | { readonly kind: 'other'; readonly type: number; readonly data: Uint8Array };

/** RFC 8415 §11.1: at least 1 and at most 128 bytes behind the type. */
const MIN_DUID_BYTES = 3;
export const MAX_DUID_BYTES = 130;

/** The value of option 1 or 2. A known type that is too short for its layout is `other`. */
export function decodeDuid(bytes: Uint8Array): Decoded<Duid> {
  const { length } = bytes;
  if (length < MIN_DUID_BYTES || length > MAX_DUID_BYTES) {
    return malformed(0, `a DUID has ${MIN_DUID_BYTES} to ${MAX_DUID_BYTES} bytes, not ${length}`);
  }
  const type = uint16At(bytes, 0);
  if (type === DuidType.LLT && length > 8) {
    return accept({
      kind: 'llt',
      htype: uint16At(bytes, 2),
      time: uint32At(bytes, 4),
      linkLayer: view(bytes, 8, length),
    });
  }
  if (type === DuidType.EN && length > 6) {
    return accept({ kind: 'en', enterprise: uint32At(bytes, 2), identifier: view(bytes, 6, length) });
  }
  if (type === DuidType.LL && length > 4) {
    return accept({ kind: 'll', htype: uint16At(bytes, 2), linkLayer: view(bytes, 4, length) });
  }
  if (type === DuidType.UUID && length === 18) return accept({ kind: 'uuid', bytes: view(bytes, 2, length) });
  return accept({ kind: 'other', type, data: view(bytes, 2, length) });
}

/** The reverse of {@link decodeDuid}. */
export function encodeDuid(duid: Duid): Uint8Array {
  switch (duid.kind) {
    case 'llt':
      return join(8, duid.linkLayer, (head) => {
        setUint16(head, 0, DuidType.LLT);
        setUint16(head, 2, duid.htype);
        setUint32(head, 4, duid.time);
      });
    case 'en':
      return join(6, duid.identifier, (head) => {
        setUint16(head, 0, DuidType.EN);
        setUint32(head, 2, duid.enterprise);
      });
    case 'll':
      return join(4, duid.linkLayer, (head) => {
        setUint16(head, 0, DuidType.LL);
        setUint16(head, 2, duid.htype);
      });
    case 'uuid':
      return join(2, duid.bytes, (head) => setUint16(head, 0, DuidType.UUID));
    case 'other':
      return join(2, duid.data, (head) => setUint16(head, 0, duid.type));
  }
}

/** `00:03:00:01:52:54:00:00:01:01`, for keys, configuration and logs. */
export function duidText(bytes: Uint8Array): string {
  return hex(bytes, ':');
}

/** Reads what {@link duidText} writes, also with dashes, blanks or nothing between the bytes, in either case. */
export function parseDuid(text: string): Decoded<Uint8Array> {
  const digits = text.replaceAll(/[:\s-]/g, '');
  const isHex = /^(?:[0-9a-f]{2})+$/i.test(digits);
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (!isHex || bytes.length < MIN_DUID_BYTES || bytes.length > MAX_DUID_BYTES) {
    return malformed(0, `${JSON.stringify(text)} is no DUID such as 00:03:00:01:52:54:00:00:01:01`);
  }
  return accept(bytes);
}

/** The Ethernet address in a DUID-LLT or DUID-LL: of one of the client's NICs, which need not be the one that asks. */
export function macOfDuid(duid: Duid): Mac | undefined {
  if (duid.kind !== 'llt' && duid.kind !== 'll') return undefined;
  const HTYPE_ETHERNET = 1;
  if (duid.htype !== HTYPE_ETHERNET) return undefined;
  const mac = macOfBytes(duid.linkLayer);
  return mac.ok ? mac.value : undefined;
}

function join(headBytes: number, tail: Uint8Array, writeHead: (head: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(headBytes + tail.length);
  writeHead(bytes);
  bytes.set(tail, headBytes);
  return bytes;
}
