import { byteAt, view } from '../bytes.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';

/** One code-length-value triple inside an option; `data` is at most 255 bytes. */
export interface SubOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/**
 * How an option's inside is laid out: `plain` is triples only, as in options 82 and 125, where 0 and 255 are ordinary
 * codes (RFC 3046 §2.0); `padded` has single-byte PAD (0) and END (255), as in options 43 and 175 (RFC 2132 §8.4).
 */
export type SubOptionLayout = 'plain' | 'padded';

/** Decodes the triples in order; PADs, END and what follows it are left out. */
export function decodeSubOptions(data: Uint8Array, layout: SubOptionLayout): Decoded<readonly SubOption[]> {
  const found: SubOption[] = [];
  let offset = 0;
  while (offset < data.length) {
    const code = byteAt(data, offset);
    if (layout === 'padded') {
      if (code === 255) break;
      if (code === 0) {
        offset += 1;
        continue;
      }
    }
    if (offset + 1 >= data.length) return malformed(offset, `sub-option ${code} has no length byte`);
    const length = byteAt(data, offset + 1);
    const next = offset + 2 + length;
    if (next > data.length) {
      return malformed(offset, `sub-option ${code} claims ${length} bytes, ${data.length - offset - 2} are left`);
    }
    found.push({ code, data: view(data, offset + 2, next) });
    offset = next;
  }
  return accept(found);
}

/**
 * The reverse; a `padded` list gets its END.
 *
 * @throws RangeError if a value is longer than 255 bytes.
 */
export function encodeSubOptions(subOptions: readonly SubOption[], layout: SubOptionLayout): Uint8Array {
  const length = subOptions.reduce((sum, { data }) => sum + 2 + data.length, layout === 'padded' ? 1 : 0);
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const { code, data } of subOptions) {
    if (data.length > 255) throw new RangeError(`sub-option ${code} holds 255 bytes, not ${data.length}`);
    bytes[offset] = code;
    bytes[offset + 1] = data.length;
    bytes.set(data, offset + 2);
    offset += 2 + data.length;
  }
  if (layout === 'padded') bytes[offset] = 255;
  return bytes;
}

/** The first value with that code. */
export function findSubOption(subOptions: readonly SubOption[], code: number): Uint8Array | undefined {
  return subOptions.find((subOption) => subOption.code === code)?.data;
}
