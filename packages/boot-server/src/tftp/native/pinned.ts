import type { Libc } from '@ingot/net';

/** struct mmsghdr: name 0–3, vector 4–7, control 8–11, flags 12, length 14; in words of 4 bytes. */
export const MESSAGE_WORDS = 16;

/** Memory whose address the kernel is told. It stays where it is as long as this object is reachable. */
export class Pinned {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly view: DataView;
  readonly address: number;

  constructor(libc: Libc, sizeBytes: number) {
    // A large ArrayBuffer lies outside of the heap that is compacted.
    const buffer = new ArrayBuffer(Math.max(sizeBytes, 4_096));
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    // User space ends below 2^47, a double is exact up to 2^53.
    this.address = Number(libc.addressOf(this.bytes));
  }
}

/** A pointer as two words, low first: BigInts would be made for every block that is sent. */
export function setPointer(words: Uint32Array, index: number, address: number): void {
  words[index] = address % 0x1_0000_0000;
  words[index + 1] = Math.floor(address / 0x1_0000_0000);
}
