import { byteAt, EMPTY, view } from './bytes.ts';
import { malformed } from './result.ts';
import type { Malformed } from './result.ts';

/**
 * Bounded big-endian reads over bytes that nobody vouches for.
 *
 * A read past the end yields 0 (or no bytes) and is remembered in {@link Cursor.overrun}, so a decoder reads a whole
 * structure in a row and asks once whether all of it was there.
 */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly #end: number;
  #offset: number;
  #overrun: Malformed | undefined;

  /** Reads `bytes` from `start` (inclusive) to `end` (exclusive); both are cut to the buffer. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.#end = Math.min(end, bytes.length);
    this.#offset = Math.min(start, this.#end);
  }

  /** Where the next read starts, counted from the beginning of `bytes`. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** The first read that found too little, if any did. */
  get overrun(): Malformed | undefined {
    return this.#overrun;
  }

  uint8(what: string): number {
    const at = this.#take(1, what);
    return at < 0 ? 0 : byteAt(this.bytes, at);
  }

  uint16(what: string): number {
    const at = this.#take(2, what);
    return at < 0 ? 0 : uint16At(this.bytes, at);
  }

  uint32(what: string): number {
    const at = this.#take(4, what);
    return at < 0 ? 0 : uint32At(this.bytes, at);
  }

  /** The next `length` bytes as a view, not a copy. */
  take(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return at < 0 ? EMPTY : view(this.bytes, at, at + length);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.remaining, 'rest');
  }

  #take(length: number, what: string): number {
    const at = this.#offset;
    if (length > this.#end - at) {
      this.#overrun ??= malformed(at, `${what} needs ${length} bytes, ${this.#end - at} are left`);
      this.#offset = this.#end;
      return -1;
    }
    this.#offset = at + length;
    return at;
  }
}

export function uint16At(bytes: Uint8Array, offset: number): number {
  return (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1);
}

export function uint32At(bytes: Uint8Array, offset: number): number {
  return ((uint16At(bytes, offset) << 16) | uint16At(bytes, offset + 2)) >>> 0;
}

export function setUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function setUint32(bytes: Uint8Array, offset: number, value: number): void {
  setUint16(bytes, offset, value >>> 16);
  setUint16(bytes, offset + 2, value);
}
