import { byteAt, view } from '../bytes.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { bytesOfLatin1, latin1 } from '../text.ts';

/** RFC 1035 §3.1. */
const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;

/** Uncompressed domain names one after the other (RFC 8415 §10), without the dot at the end. */
export function decodeDomainNames(bytes: Uint8Array): Decoded<readonly string[]> {
  const names: string[] = [];
  let labels: string[] = [];
  let nameStart = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const length = byteAt(bytes, offset);
    if (length > MAX_LABEL_BYTES) return malformed(offset, 'a label is longer than 63 bytes, or compressed');
    const next = offset + 1 + length;
    if (next > bytes.length)
      return malformed(offset, `a label claims ${length} bytes, ${bytes.length - offset - 1} are left`);
    if (next - nameStart > MAX_NAME_BYTES) return malformed(nameStart, `a name is longer than ${MAX_NAME_BYTES} bytes`);
    if (length > 0) labels.push(latin1(view(bytes, offset + 1, next)));
    else {
      names.push(labels.join('.'));
      labels = [];
      nameStart = next;
    }
    offset = next;
  }
  return labels.length > 0 ? malformed(nameStart, 'the last name has no end') : accept(names);
}

/** @throws RangeError for a name that DNS cannot have: a label of 0 or over 63 bytes, more than 255 in all, no Latin-1. */
export function encodeDomainNames(names: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const name of names) {
    const start = bytes.length;
    for (const label of name.replace(/\.$/, '').split('.')) {
      if (label.length === 0 || label.length > MAX_LABEL_BYTES)
        throw new RangeError(`${name} has a label of ${label.length} bytes`);
      bytes.push(label.length, ...bytesOfLatin1(label));
    }
    bytes.push(0);
    if (bytes.length - start > MAX_NAME_BYTES) throw new RangeError(`${name} is longer than ${MAX_NAME_BYTES} bytes`);
  }
  return Uint8Array.from(bytes);
}
