import type { Libc } from '@ingot/net';
import { MESSAGE_WORDS, Pinned, setPointer } from './pinned.ts';

/** Where a message goes, and whether the kernel may cut it into blocks (UDP_SEGMENT). */
export interface SendTarget {
  readonly fd: number;
  /** struct sockaddr: where it lies, and how long it is. */
  readonly nameAddress: number;
  readonly nameBytes: number;
  /** Where the file is mapped. */
  readonly dataAddress: number;
  readonly sizeBytes: number;
  readonly blksize: number;
  /** Blocks in one message; 1 where the kernel or the way refuses more. */
  segments: number;
}

/** In one sendmmsg(2). */
const MESSAGES = 64;
const BLOCKS = 1_024;
/** The kernel's UDP_MAX_SEGMENTS, as it was first. */
const MAX_SEGMENTS = 64;
/** 65,535 less IP and UDP headers. */
const MAX_MESSAGE_BYTES = 65_487;
/** OACK, ERROR: short texts. */
const SMALL_BYTES = 256;
const CONTROL_SIZE = 24;
const CONTROL_LENGTH = 18;
/** udp(7) */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const HEADER_SIZE = 4;
/** errno(3): what a message that is to be cut fails with where it cannot be. */
const EIO = 5;
const EINVAL = 22;
const EMSGSIZE = 90;

/** How many blocks of this size fit into one message. */
export function segmentsOf(blksize: number): number {
  return Math.max(1, Math.min(MAX_SEGMENTS, Math.floor(MAX_MESSAGE_BYTES / (blksize + HEADER_SIZE))));
}

/** Messages that go out with one system call: blocks straight from the mapped file, behind headers written here. */
export class SendBatch {
  readonly #libc: Libc;
  readonly #headers: Pinned;
  /** Two struct iovec for each block: its header, and its data. */
  readonly #vectors: Pinned;
  readonly #blockHeaders: Pinned;
  readonly #controls: Pinned;
  readonly #small: Pinned;
  readonly #firstHeader: bigint;
  #fd = -1;
  #messages = 0;
  #blocks = 0;
  /** What each message is, to send it again uncut. */
  readonly #targets: (SendTarget | undefined)[] = Array.from({ length: MESSAGES }, () => undefined);
  readonly #firsts: number[] = Array.from({ length: MESSAGES }, () => 0);
  readonly #lasts: number[] = Array.from({ length: MESSAGES }, () => 0);

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#headers = new Pinned(libc, MESSAGES * MESSAGE_WORDS * 4);
    this.#vectors = new Pinned(libc, BLOCKS * 32);
    this.#blockHeaders = new Pinned(libc, BLOCKS * HEADER_SIZE);
    this.#controls = new Pinned(libc, MESSAGES * CONTROL_SIZE);
    this.#small = new Pinned(libc, MESSAGES * SMALL_BYTES);
    this.#firstHeader = libc.addressOf(this.#headers.bytes);
    for (let block = 0; block < BLOCKS; block += 1) {
      setPointer(this.#vectors.words, block * 8, this.#blockHeaders.address + block * HEADER_SIZE);
      this.#vectors.words[block * 8 + 2] = HEADER_SIZE;
    }
    for (let index = 0; index < MESSAGES; index += 1) {
      const control = index * CONTROL_SIZE;
      this.#controls.view.setUint32(control, CONTROL_LENGTH, true);
      this.#controls.view.setInt32(control + 8, SOL_UDP, true);
      this.#controls.view.setInt32(control + 12, UDP_SEGMENT, true);
    }
  }

  /** Adds the blocks `from` to `until`, counted from 1 without end. */
  blocks(target: SendTarget, from: number, until: number): void {
    for (let first = from; first <= until; first += target.segments)
      this.#message(target, first, Math.min(until, first + target.segments - 1));
  }

  /** Adds a packet of at least 4 and at most 256 bytes; it is copied. */
  packet(target: Pick<SendTarget, 'fd' | 'nameAddress' | 'nameBytes'>, bytes: Uint8Array): void {
    const index = this.#open(target, 1);
    const block = this.#blocks;
    this.#blocks += 1;
    this.#targets[index] = undefined;
    const rest = bytes.subarray(HEADER_SIZE, SMALL_BYTES);
    this.#blockHeaders.bytes.set(bytes.subarray(0, HEADER_SIZE), block * HEADER_SIZE);
    this.#small.bytes.set(rest, index * SMALL_BYTES);
    setPointer(this.#vectors.words, block * 8 + 4, this.#small.address + index * SMALL_BYTES);
    this.#vectors.words[block * 8 + 6] = rest.byteLength;
  }

  /** Hands everything to the kernel. What it refuses is as good as lost: timers repeat it. */
  flush(): void {
    const total = this.#messages;
    if (total === 0) return;
    this.#messages = 0;
    this.#blocks = 0;
    let uncut: { target: SendTarget; first: number; last: number }[] | undefined;
    for (let done = 0; done < total;) {
      if (total === 1) {
        if (this.#libc.sendmsg(this.#fd, this.#firstHeader, 0) >= 0) return;
      } else {
        const headers = done === 0 ? this.#headers.bytes : this.#headers.bytes.subarray(done * MESSAGE_WORDS * 4);
        const count = this.#libc.sendmmsg(this.#fd, headers, total - done, 0);
        if (count > 0) {
          done += count;
          continue;
        }
      }
      const errno = this.#libc.errno();
      const target = this.#targets[done];
      const first = this.#firsts[done] ?? 0;
      const last = this.#lasts[done] ?? 0;
      if (target !== undefined && last > first && (errno === EIO || errno === EINVAL || errno === EMSGSIZE))
        (uncut ??= []).push({ target, first, last });
      done += 1;
    }
    if (uncut === undefined) return;
    for (const { target, first, last } of uncut) {
      target.segments = 1;
      this.blocks(target, first, last);
    }
    this.flush();
  }

  #message(target: SendTarget, first: number, last: number): void {
    const count = last - first + 1;
    const index = this.#open(target, count);
    this.#targets[index] = target;
    this.#firsts[index] = first;
    this.#lasts[index] = last;
    if (count > 1) {
      const control = index * CONTROL_SIZE;
      this.#controls.view.setUint16(control + 16, target.blksize + HEADER_SIZE, true);
      setPointer(this.#headers.words, index * MESSAGE_WORDS + 8, this.#controls.address + control);
      this.#headers.words[index * MESSAGE_WORDS + 10] = CONTROL_SIZE;
    }
    const vectors = this.#vectors.words;
    const headers = this.#blockHeaders.words;
    const { blksize, sizeBytes, dataAddress } = target;
    let position = (first - 1) * blksize;
    for (let block = first; block <= last; block += 1) {
      const slot = this.#blocks;
      this.#blocks += 1;
      // Opcode 3 and the block number, in network byte order.
      headers[slot] = 0x0300 | ((block & 0xff) << 24) | ((block & 0xff00) << 8);
      const at = slot * 8 + 4;
      const address = dataAddress + position;
      vectors[at] = address % 0x1_0000_0000;
      vectors[at + 1] = Math.floor(address / 0x1_0000_0000);
      vectors[at + 2] = Math.min(blksize, sizeBytes - position);
      position += blksize;
    }
  }

  /** Begins a message of `count` blocks; its index. */
  #open(target: Pick<SendTarget, 'fd' | 'nameAddress' | 'nameBytes'>, count: number): number {
    if (this.#messages === MESSAGES || this.#blocks + count > BLOCKS || target.fd !== this.#fd) this.flush();
    this.#fd = target.fd;
    const index = this.#messages;
    this.#messages += 1;
    const words = this.#headers.words;
    const at = index * MESSAGE_WORDS;
    setPointer(words, at, target.nameAddress);
    words[at + 2] = target.nameBytes;
    setPointer(words, at + 4, this.#vectors.address + this.#blocks * 32);
    words[at + 6] = count * 2;
    words[at + 8] = 0;
    words[at + 9] = 0;
    words[at + 10] = 0;
    return index;
  }
}
