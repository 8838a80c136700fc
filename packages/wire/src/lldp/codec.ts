import { EMPTY, view } from '../bytes.ts';
import { setUint16, uint16At } from '../cursor.ts';
import { bytesOfMac, macAt } from '../mac.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { LLDP_ETHERTYPE, LldpTlvType } from './frame.ts';
import type { LldpFrame, LldpTlv } from './frame.ts';

const ADDRESSES_BYTES = 12;
const TAG_ETHERTYPE = 0x8100;
/** The length of a TLV has 9 bits. */
const MAX_TLV_BYTES = 511;

/**
 * Decodes an Ethernet frame without its checksum.
 *
 * Refused: another ethertype, a TLV that runs past the end, an End of LLDPDU with a value. Which TLVs must be there
 * is `readNeighbour`'s business. Borne: a missing End, anything behind it.
 */
export function decodeLldp(bytes: Uint8Array): Decoded<LldpFrame> {
  const tagged = bytes.length >= ADDRESSES_BYTES + 4 && uint16At(bytes, ADDRESSES_BYTES) === TAG_ETHERTYPE;
  const typeOffset = tagged ? ADDRESSES_BYTES + 4 : ADDRESSES_BYTES;
  if (bytes.length < typeOffset + 2) {
    return malformed(bytes.length, `an LLDP frame has more than ${bytes.length} bytes`);
  }
  const ethertype = uint16At(bytes, typeOffset);
  if (ethertype !== LLDP_ETHERTYPE) return malformed(typeOffset, `ethertype 0x${ethertype.toString(16)} is not LLDP`);

  const tlvs: LldpTlv[] = [];
  let end = false;
  let offset = typeOffset + 2;
  while (offset < bytes.length && !end) {
    if (offset + 2 > bytes.length) return malformed(offset, 'a TLV has half a header');
    const header = uint16At(bytes, offset);
    const type = header >>> 9;
    const length = header & MAX_TLV_BYTES;
    const next = offset + 2 + length;
    if (type === LldpTlvType.END) {
      if (length > 0) return malformed(offset, `End of LLDPDU has a value of ${length} bytes`);
      end = true;
    } else if (next > bytes.length) {
      return malformed(offset, `TLV ${type} claims ${length} bytes, ${bytes.length - offset - 2} are left`);
    } else tlvs.push({ type, value: view(bytes, offset + 2, next) });
    offset = next;
  }
  return accept({
    destination: macAt(bytes, 0),
    source: macAt(bytes, 6),
    ...(tagged && { vlanTag: uint16At(bytes, ADDRESSES_BYTES + 2) }),
    tlvs,
    end,
    trailing: offset < bytes.length ? view(bytes, offset, bytes.length) : EMPTY,
  });
}

/**
 * The bytes of a frame; the exact reverse of `decodeLldp`.
 *
 * @throws RangeError if a TLV's value is longer than 511 bytes.
 */
export function encodeLldp(frame: LldpFrame): Uint8Array {
  const headerBytes = ADDRESSES_BYTES + (frame.vlanTag === undefined ? 2 : 6);
  const tlvBytes = frame.tlvs.reduce((sum, { value }) => sum + 2 + value.length, 0);
  const bytes = new Uint8Array(headerBytes + tlvBytes + (frame.end ? 2 : 0) + frame.trailing.length);
  bytes.set(bytesOfMac(frame.destination));
  bytes.set(bytesOfMac(frame.source), 6);
  if (frame.vlanTag !== undefined) {
    setUint16(bytes, ADDRESSES_BYTES, TAG_ETHERTYPE);
    setUint16(bytes, ADDRESSES_BYTES + 2, frame.vlanTag);
  }
  setUint16(bytes, headerBytes - 2, LLDP_ETHERTYPE);
  let offset = headerBytes;
  for (const { type, value } of frame.tlvs) {
    if (value.length > MAX_TLV_BYTES)
      throw new RangeError(`TLV ${type} holds ${MAX_TLV_BYTES} bytes, not ${value.length}`);
    setUint16(bytes, offset, (type << 9) | value.length);
    bytes.set(value, offset + 2);
    offset += 2 + value.length;
  }
  bytes.set(frame.trailing, offset + (frame.end ? 2 : 0));
  return bytes;
}
