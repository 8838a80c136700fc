/** RFC 1071; 0 over bytes that contain their right checksum. `sum` is of what goes before, such as a pseudo header. */
export function internetChecksum(bytes: Uint8Array, sum = 0): number {
  let total = sum;
  for (let index = 0; index < bytes.length; index += 2) total += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}
