import { createHash, type Hash } from 'node:crypto';
import { closeSync, readSync, writeSync } from 'node:fs';
import type { Libc } from '@ingot/net';

/** The bytes of a file in memory; they never change. */
export interface Content {
  readonly sizeBytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** A sealed memfd, for sendfile(2) and preadv(2); undefined where there is no libc. */
  readonly fd: number | undefined;
  /** Up to `length` bytes, less at the end; the caller must not write into them. */
  read(position: number, length: number): Uint8Array;
  /** Gives the memory back; nothing may be read afterwards. */
  close(): void;
}

/** Takes a file piece by piece, so that no more than one copy of it is ever in memory. */
export interface ContentWriter {
  readonly sizeBytes: number;
  write(chunk: Uint8Array): void;
  finish(): Content;
  discard(): void;
}

export interface ContentMemory {
  /** `sizeBytes` is undefined while nobody knows it. */
  create(sizeBytes: number | undefined): ContentWriter;
}

/** Memory that the kernel can send from, where there is libc; a Buffer elsewhere. */
export function contentMemory(libc: Libc | undefined): ContentMemory {
  return { create: (sizeBytes) => (libc === undefined ? new BufferWriter(sizeBytes) : new MemfdWriter(libc)) };
}

/** memfd_create(2) */
const MFD_CLOEXEC = 0x0001;
const MFD_ALLOW_SEALING = 0x0002;
/** fcntl(2): F_LINUX_SPECIFIC_BASE + 9 */
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE: not even this process can change the file any more. */
const ALL_SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008;

class MemfdWriter implements ContentWriter {
  sizeBytes = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #hash: Hash = createHash('sha256');

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = libc.memfdCreate('ingot-artifact', MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (this.#fd < 0) throw new Error(`memfd_create(2) fails with errno ${libc.errno()}`);
  }

  write(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.byteLength;) done += writeSync(this.#fd, chunk, done);
    this.#hash.update(chunk);
    this.sizeBytes += chunk.byteLength;
  }

  finish(): Content {
    if (this.#libc.fcntl(this.#fd, F_ADD_SEALS, ALL_SEALS) < 0)
      throw new Error(`a memfd cannot be sealed: errno ${this.#libc.errno()}`);
    const fd = this.#fd;
    return {
      fd,
      sizeBytes: this.sizeBytes,
      sha256: this.#hash.digest('hex'),
      read: (position, length) => {
        const bytes = Buffer.allocUnsafe(clampLength(position, length, this.sizeBytes));
        for (let done = 0; done < bytes.byteLength;) {
          const count = readSync(fd, bytes, done, bytes.byteLength - done, position + done);
          if (count === 0) throw new Error('a sealed memfd is shorter than it was');
          done += count;
        }
        return bytes;
      },
      close: () => closeSync(fd),
    };
  }

  discard(): void {
    closeSync(this.#fd);
  }
}

class BufferWriter implements ContentWriter {
  sizeBytes = 0;
  readonly #whole: Buffer | undefined;
  readonly #parts: Uint8Array[] = [];
  readonly #hash: Hash = createHash('sha256');

  constructor(sizeBytes: number | undefined) {
    this.#whole = sizeBytes === undefined ? undefined : Buffer.allocUnsafeSlow(sizeBytes);
  }

  write(chunk: Uint8Array): void {
    if (this.#whole === undefined) this.#parts.push(Uint8Array.from(chunk));
    else if (this.sizeBytes + chunk.byteLength > this.#whole.byteLength)
      throw new Error('it is longer than it was said to be');
    else this.#whole.set(chunk, this.sizeBytes);
    this.#hash.update(chunk);
    this.sizeBytes += chunk.byteLength;
  }

  finish(): Content {
    const bytes = this.#whole?.subarray(0, this.sizeBytes) ?? Buffer.concat(this.#parts, this.sizeBytes);
    return {
      fd: undefined,
      sizeBytes: bytes.byteLength,
      sha256: this.#hash.digest('hex'),
      read: (position, length) => bytes.subarray(position, position + clampLength(position, length, bytes.byteLength)),
      close: () => undefined,
    };
  }

  discard(): void {
    this.#parts.length = 0;
  }
}

function clampLength(position: number, length: number, sizeBytes: number): number {
  return Math.max(0, Math.min(length, sizeBytes - position));
}
