import { Cursor, setUint32 } from '../cursor.ts';
import { accept } from '../result.ts';
import type { Decoded, Read } from '../result.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';

/** What one enterprise says in option 124 or 125 (RFC 3925). */
export interface VendorBlock {
  /** IANA private enterprise number. */
  readonly enterprise: number;
  /** In option 125 a list of triples: `decodeSubOptions(data, 'plain')`. In 124 opaque, length-prefixed classes. */
  readonly data: Uint8Array;
}

/** Option 124 (vendor-identifying vendor class). */
export function readVendorClasses(options: OptionMap): Read<readonly VendorBlock[]> {
  return readBlocks(options, OptionCode.VENDOR_IDENTIFYING_CLASS);
}

/** Option 125 (vendor-identifying vendor-specific information). */
export function readVendorInformation(options: OptionMap): Read<readonly VendorBlock[]> {
  return readBlocks(options, OptionCode.VENDOR_IDENTIFYING);
}

/** The value of option 124 or 125. */
export function decodeVendorBlocks(data: Uint8Array): Decoded<readonly VendorBlock[]> {
  const cursor = new Cursor(data);
  const blocks: VendorBlock[] = [];
  while (cursor.remaining > 0) {
    const enterprise = cursor.uint32('enterprise number');
    const length = cursor.uint8('length of vendor data');
    blocks.push({ enterprise, data: cursor.take(length, 'vendor data') });
  }
  return cursor.overrun ?? accept(blocks);
}

/** @throws RangeError if a block is longer than 255 bytes. */
export function encodeVendorBlocks(blocks: readonly VendorBlock[]): Uint8Array {
  const bytes = new Uint8Array(blocks.reduce((sum, { data }) => sum + 5 + data.length, 0));
  let offset = 0;
  for (const { enterprise, data } of blocks) {
    if (data.length > 255) throw new RangeError(`vendor data holds 255 bytes, not ${data.length}`);
    setUint32(bytes, offset, enterprise);
    bytes[offset + 4] = data.length;
    bytes.set(data, offset + 5);
    offset += 5 + data.length;
  }
  return bytes;
}

function readBlocks(options: OptionMap, code: number): Read<readonly VendorBlock[]> {
  const data = options.get(code);
  return data === undefined ? undefined : decodeVendorBlocks(data);
}
