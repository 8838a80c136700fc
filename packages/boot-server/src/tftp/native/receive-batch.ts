import { availableParallelism } from 'node:os';
import type { Clock, Endpoint, Libc } from '@ingot/net';
import { MESSAGE_WORDS, Pinned, setPointer } from './pinned.ts';
import { Wakefulness } from './wakefulness.ts';

/** One recvmmsg(2) takes at most this many packets: an ACK each of as many clients. */
const PACKETS = 64;
/** An ACK has 4 bytes, an ERROR a sentence; what is longer is cut. */
const PACKET_BYTES = 576;
/** struct sockaddr_in6, rounded up. */
const NAME_SIZE = 32;
/** recvmmsg(2) */
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
/** Of the sockets: an order is obeyed this late at most. */
export const RECEIVE_TIMEOUT_MS = 5;

/** Twice what a client on a fast link takes for an ACK: for that long it is looked for awake. */
const AWAKE_MS = 0.04;

/** Packets of one recvmmsg(2) call, valid until the next. */
export class ReceiveBatch {
  readonly #libc: Libc;
  readonly #headers: Pinned;
  readonly #names: Pinned;
  readonly #vectors: Pinned;
  readonly #packets: Pinned;
  readonly #firstHeader: bigint;
  readonly #clock: Clock;
  readonly #wakefulness = new Wakefulness(availableParallelism());

  constructor(libc: Libc, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#headers = new Pinned(libc, PACKETS * MESSAGE_WORDS * 4);
    this.#names = new Pinned(libc, PACKETS * NAME_SIZE);
    this.#vectors = new Pinned(libc, PACKETS * 16);
    this.#packets = new Pinned(libc, PACKETS * PACKET_BYTES);
    this.#firstHeader = libc.addressOf(this.#headers.bytes);
    for (let index = 0; index < PACKETS; index += 1) {
      const header = index * MESSAGE_WORDS;
      setPointer(this.#headers.words, header, this.#names.address + index * NAME_SIZE);
      setPointer(this.#headers.words, header + 4, this.#vectors.address + index * 16);
      this.#headers.words[header + 6] = 1;
      setPointer(this.#vectors.words, index * 4, this.#packets.address + index * PACKET_BYTES);
      this.#vectors.words[index * 4 + 2] = PACKET_BYTES;
      this.#headers.words[header + 2] = NAME_SIZE;
    }
  }

  /**
   * Takes up to `atMost` packets, and says how many there were; 0 also for an error, which nobody here could mend.
   * With `waits` it waits for the first of them, up to `RECEIVE_TIMEOUT_MS`.
   */
  receive(fd: number, atMost: number, waits: boolean): number {
    if (atMost === 1 && waits) {
      const early = this.#wakefulness.isAwake ? this.#receiveAwake(fd) : -1;
      const length = early < 0 ? this.#libc.recvmsg(fd, this.#firstHeader, 0) : early;
      this.#headers.words[2] = NAME_SIZE;
      this.#headers.words[14] = length;
      if (length < 0) return 0;
      this.#wakefulness.note(this.#clock.monotonic());
      return 1;
    }
    const most = Math.min(atMost, PACKETS);
    const count = this.#libc.recvmmsg(fd, this.#headers.bytes, most, waits ? MSG_WAITFORONE : MSG_DONTWAIT);
    for (let index = 0; index < count; index += 1) this.#headers.words[index * MESSAGE_WORDS + 2] = NAME_SIZE;
    return Math.max(0, count);
  }

  /** Its length, negative when none came in time. */
  #receiveAwake(fd: number): number {
    const until = this.#clock.monotonic() + AWAKE_MS;
    for (;;) {
      const length = this.#libc.recvmsg(fd, this.#firstHeader, MSG_DONTWAIT);
      if (length >= 0 || this.#clock.monotonic() >= until) return length;
    }
  }

  length(index: number): number {
    return Math.min(PACKET_BYTES, this.#headers.words[index * MESSAGE_WORDS + 14] ?? 0);
  }

  /** The first four bytes, as a big-endian number; of a shorter packet, any. */
  head(index: number): number {
    return this.#packets.view.getUint32(index * PACKET_BYTES);
  }

  /** A view, of which nothing may be kept. */
  packet(index: number): Uint8Array {
    const start = index * PACKET_BYTES;
    return this.#packets.bytes.subarray(start, start + this.length(index));
  }

  /** struct sockaddr of the sender; a view. */
  name(index: number): Uint8Array {
    const start = index * NAME_SIZE;
    return this.#names.bytes.subarray(start, start + NAME_SIZE);
  }

  /** The sender, of an IPv4 socket. */
  ipv4Source(index: number): Endpoint {
    const name = this.name(index);
    return { address: name.subarray(4, 8).join('.'), port: this.#names.view.getUint16(index * NAME_SIZE + 2) };
  }

  /** The sender as a key: a number for IPv4, which is quicker, text for IPv6. */
  key(index: number): PeerKey {
    return peerKey(this.#names.view, index * NAME_SIZE);
  }
}

export type PeerKey = number | string;

/** The address and port of a struct sockaddr at `offset`. */
export function peerKey(names: DataView, offset: number): PeerKey {
  // The family is in host byte order: its first byte says it on the little-endian hosts that this is for.
  if (names.getUint8(offset) === 2) return names.getUint32(offset + 4) * 65_536 + names.getUint16(offset + 2);
  const high = names.getBigUint64(offset + 8).toString(36);
  const low = names.getBigUint64(offset + 16).toString(36);
  return `${high}.${low}.${names.getUint16(offset + 2)}`;
}
