/** Shared, so that an absent field costs no allocation. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** The byte at `index`, or 0 past the end: callers have checked the length already and get a number, not a maybe. */
export function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

/** A window on the same memory; never a Node Buffer, whatever `bytes` is. */
export function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

/** Below this many bytes a loop beats the fixed cost of TypedArray.set (measured: test/bench/wire.bench.ts). */
const LOOP_COPY_BYTES = 24;

/** Writes `data` into `bytes` from `offset` on; there must be room. */
export function copyInto(bytes: Uint8Array, data: Uint8Array, offset: number): void {
  if (data.length >= LOOP_COPY_BYTES) bytes.set(data, offset);
  else for (let index = 0; index < data.length; index++) bytes[offset + index] = byteAt(data, index);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Two lowercase digits for each byte, joined by `separator`. */
export function hex(bytes: Uint8Array, separator = ''): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) {
    if (index > 0) text += separator;
    text += HEX[byteAt(bytes, index)];
  }
  return text;
}

/** `HEX[n]` is byte n in two lowercase digits. */
export const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
