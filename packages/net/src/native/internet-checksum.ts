/** RFC 1071; 0 over bytes that contain their right checksum. `sum` is of what goes before, such as a pseudo header. */
export function internetChecksum(bytes: Uint8Array, sum = 0): number {
  return checksumOf(bytes, 0, bytes.length, sum);
}

/** The same of `bytes[start, end)`. */
export function checksumOf(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let total = sum;
  let index = start;
  for (; index + 1 < end; index += 2) total += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  // Of an odd number of bytes the last is the upper half of a word.
  if (index < end) total += (bytes[index] ?? 0) << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}
