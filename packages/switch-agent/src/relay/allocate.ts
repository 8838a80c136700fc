/** Out of Node's pool: an array of its own for each packet costs as much as all the rest of it. Not zeroed. */
export function allocate(sizeBytes: number): Uint8Array {
  return Buffer.allocUnsafe(sizeBytes);
}
