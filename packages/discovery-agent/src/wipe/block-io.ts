// The child process that reads and writes one disk. It blocks in the kernel for as long as the disk takes.
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { parseRequest, progressEveryMs } from './block-io-protocol.ts';
import type { BlockReply, BlockRequest } from './block-io-protocol.ts';
import type { Place, Sample } from './samples.ts';

/** Node has it, its type declarations do not. */
declare const WebAssembly: {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
};

/** A request to the disk. Large enough to stream, small enough for any controller's limit. */
const chunkBytes = 2 ** 20;
const wasmPageBytes = 65_536;

/**
 * Serves `block-io-protocol.ts` on standard input and output until the input ends.
 *
 * O_DIRECT: what is read comes from the disk, never from the page cache, and what is written goes there. O_EXCL: the
 * kernel refuses when the disk, or a partition of it, is mounted or held by anything, and nobody can mount it meanwhile.
 */
export async function serveBlockIo(device: string, clock: Clock): Promise<void> {
  const say = (reply: BlockReply): void => void writeSync(1, `${JSON.stringify(reply)}\n`);
  let fd: number;
  try {
    fd = openSync(device, constants.O_RDWR | constants.O_DIRECT | constants.O_EXCL);
  } catch (error) {
    say({ kind: 'failed', reason: explain(error) });
    return;
  }
  const disk = new Disk(fd, clock, (bytes) => say({ kind: 'progress', bytes }));
  say({ kind: 'ready' });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(disk.serve(parseRequest(line)));
    } catch (error) {
      say({ kind: 'failed', reason: explain(error) });
    }
  }
  closeSync(fd);
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EBUSY') return 'in use: something has mounted it or a part of it, or holds it';
  if (code === 'EROFS' || code === 'EACCES') return 'it is write-protected';
  return reasonOf(error);
}

class Disk {
  readonly #fd: number;
  readonly #progress: (bytes: number) => void;
  /** O_DIRECT wants memory that is aligned like the disk's blocks; WebAssembly's is to 64 KiB, a Buffer's is not. */
  readonly #memory = new Uint8Array(
    new WebAssembly.Memory({ initial: chunkBytes / wasmPageBytes, maximum: chunkBytes / wasmPageBytes }).buffer,
  );
  readonly #clock: Clock;
  readonly #parent = process.ppid;
  #bytes = 0;
  #saidAtMs: number;

  constructor(fd: number, clock: Clock, progress: (bytes: number) => void) {
    this.#fd = fd;
    this.#clock = clock;
    this.#saidAtMs = clock.monotonic();
    this.#progress = progress;
  }

  serve(request: BlockRequest): BlockReply {
    this.#bytes = 0;
    switch (request.do) {
      case 'sample':
        return { kind: 'samples', samples: request.places.map((place) => this.#sample(place)) };
      case 'plant':
        for (const place of request.places) this.#plant(place, request.key);
        fsyncSync(this.#fd);
        return { kind: 'done' };
      case 'zero':
        this.#memory.fill(0);
        for (const place of request.places) this.#write(place);
        fsyncSync(this.#fd);
        return { kind: 'done' };
    }
  }

  #sample(place: Place): Sample {
    const digest = createHash('sha256');
    let first: number | undefined;
    let uniform = true;
    try {
      for (const { offset, length } of chunks(place)) {
        const read = readSync(this.#fd, this.#memory, 0, length, offset);
        if (read !== length) return { place, error: `ends after ${read} of ${length} bytes at byte ${offset}` };
        const content = this.#memory.subarray(0, length);
        digest.update(content);
        first ??= content[0];
        // All bytes are alike when each one is like the next.
        uniform &&= content[0] === first && Buffer.compare(content.subarray(1), content.subarray(0, -1)) === 0;
        this.#count(length);
      }
    } catch (error) {
      return { place, error: reasonOf(error) };
    }
    return { place, sha256: digest.digest('hex'), uniform: uniform ? first : undefined };
  }

  #plant(place: Place, key: string): void {
    for (const { offset, length } of chunks(place)) {
      const counter = Buffer.alloc(16);
      counter.writeBigUInt64BE(BigInt(offset));
      const noise = createCipheriv('aes-256-ctr', Buffer.from(key, 'hex'), counter).update(Buffer.alloc(length));
      this.#memory.set(noise);
      this.#writeChunk(offset, length);
    }
  }

  #write(place: Place): void {
    for (const { offset, length } of chunks(place)) this.#writeChunk(offset, length);
  }

  #writeChunk(offset: number, length: number): void {
    const written = writeSync(this.#fd, this.#memory, 0, length, offset);
    if (written !== length) throw new Error(`wrote ${written} of ${length} bytes at byte ${offset}`);
    this.#count(length);
  }

  #count(length: number): void {
    this.#bytes += length;
    // The agent was killed: nobody knows any more whether this disk may still be written.
    if (process.ppid !== this.#parent) process.exit(1);
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#saidAtMs < progressEveryMs) return;
    this.#saidAtMs = nowMs;
    this.#progress(this.#bytes);
  }
}

function* chunks({ offset, length }: Place): Generator<Place> {
  for (let done = 0; done < length; done += chunkBytes)
    yield { offset: offset + done, length: Math.min(chunkBytes, length - done) };
}
