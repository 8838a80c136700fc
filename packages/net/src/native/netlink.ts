import { endianness } from 'node:os';
import type { Libc } from './libc.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;
const MSG_DONTWAIT = 0x40;
/** struct sockaddr_nl of the kernel. */
const ADDRESS_BYTES = 12;
const REPLY_BYTES = 65_536;
/** A dump has one reply for some hundred entries; a kernel that never says that it is done must not hold us. */
const MAX_REPLIES = 1_024;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** struct mmsghdr in words of 64 bits. */
const MESSAGE_WORDS = 8;
/** struct nlmsghdr. */
const HEADER_BYTES = 16;
const IS_LITTLE = endianness() === 'LE';

/** One message of the kernel's: what stands behind its header. */
export type NetlinkMessage = DataView<ArrayBuffer>;

/** Asks the kernel by netlink(7). It has answered before the request returns: nothing there means that nothing will come. */
export interface NetlinkSocket {
  /**
   * Sends one request and gives its answers; undefined where the kernel refuses it, or could not list all at once. `flags`: NLM_F_REQUEST, and
   * NLM_F_DUMP for all there is. `payload`: what stands behind the header, in host byte order.
   */
  ask(type: number, flags: number, payload: Uint8Array): NetlinkMessage[] | undefined;
  close(): void;
}

/** A socket of a netlink family such as NETLINK_ROUTE; undefined where there is none. */
export function openNetlink(libc: Libc, family: number): NetlinkSocket | undefined {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
  if (fd < 0) return undefined;
  const kernel = new Uint8Array(ADDRESS_BYTES);
  new Uint16Array(kernel.buffer)[0] = AF_NETLINK;
  const reply = new Uint8Array(REPLY_BYTES);
  // struct mmsghdr: no name, one iovec, no control; the length that came is behind it. Then the iovec, in the same
  // array: whatever the kernel is pointed at must live as long as the socket.
  const message = new BigUint64Array(MESSAGE_WORDS + 2);
  const messageBytes = new Uint8Array(message.buffer);
  message[2] = libc.addressOf(messageBytes) + BigInt(MESSAGE_WORDS * 8);
  message[3] = 1n;
  message[MESSAGE_WORDS] = libc.addressOf(reply);
  message[MESSAGE_WORDS + 1] = BigInt(REPLY_BYTES);
  const receive = (): Uint8Array | undefined =>
    libc.recvmmsg(fd, messageBytes, 1, MSG_DONTWAIT) === 1
      ? reply.slice(0, Number((message[7] ?? 0n) & 0xffff_ffffn))
      : undefined;
  let sequence = 0;

  return {
    ask: (type, flags, payload) => {
      const isDump = (flags & NLM_F_DUMP) === NLM_F_DUMP;
      sequence = (sequence + 1) >>> 0;
      const request = new Uint8Array(HEADER_BYTES + payload.length);
      const header = new DataView(request.buffer);
      header.setUint32(0, request.length, IS_LITTLE);
      header.setUint16(4, type, IS_LITTLE);
      header.setUint16(6, flags, IS_LITTLE);
      header.setUint32(8, sequence, IS_LITTLE);
      request.set(payload, HEADER_BYTES);
      if (libc.sendto(fd, request, 0, kernel) !== request.length) return undefined;
      const found: NetlinkMessage[] = [];
      for (let replies = 0; replies < MAX_REPLIES; replies += 1) {
        const bytes = receive();
        if (bytes === undefined) return undefined;
        const state = read(bytes, sequence, found);
        if (state === 'error') return undefined;
        if (state === 'done' || (!isDump && found.length > 0)) return found;
      }
      return undefined;
    },
    close: () => void libc.close(fd),
  };
}

/** What is listed changed meanwhile: something may be missing. */
const NLM_F_DUMP_INTR = 0x10;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_DUMP = 0x300;

function read(reply: Uint8Array, sequence: number, found: NetlinkMessage[]): 'more' | 'done' | 'error' {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  for (let at = 0; at + HEADER_BYTES <= reply.length;) {
    const length = view.getUint32(at, IS_LITTLE);
    const type = view.getUint16(at + 4, IS_LITTLE);
    if (length < HEADER_BYTES || at + length > reply.length) return 'error';
    // An answer to a question that was given up.
    if (view.getUint32(at + 8, IS_LITTLE) === sequence) {
      if ((view.getUint16(at + 6, IS_LITTLE) & NLM_F_DUMP_INTR) !== 0) return 'error';
      if (type === NLMSG_DONE) return 'done';
      if (type === NLMSG_ERROR) return 'error';
      const start = at + HEADER_BYTES;
      found.push(new DataView(reply.slice(start, at + length).buffer));
    }
    at += (length + 3) & ~3;
  }
  return 'more';
}

/** struct rtattr: the value of each attribute behind `start` bytes, by its type; of a repeated one the last. */
export function netlinkAttributes(message: NetlinkMessage, start: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = start; at + 4 <= message.byteLength;) {
    const length = message.getUint16(at, IS_LITTLE);
    if (length < 4 || at + length > message.byteLength) break;
    found.set(message.getUint16(at + 2, IS_LITTLE), new Uint8Array(message.buffer, at + 4, length - 4));
    at += (length + 3) & ~3;
  }
  return found;
}
