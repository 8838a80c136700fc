import { readFileSync } from 'node:fs';
import { openLibc, type Libc } from './libc.ts';

/** A UDP socket of any process in this network namespace. */
export interface PortHolder {
  /** `0.0.0.0` for all addresses. */
  readonly address: string;
  /** What `/proc/<pid>/fd` calls it: `socket:[inode]`. */
  readonly inode: number;
  /** Index of the interface that it is bound to (SO_BINDTODEVICE), 0 for none; undefined where that cannot be known. */
  readonly interfaceIndex: number | undefined;
}

/** The IPv4 UDP sockets bound to `port`, by sock_diag(7), which tells their interface, or else from /proc/net/udp. */
export function portHolders(port: number): PortHolder[] {
  return fromSockDiag(port) ?? fromProc(readFileSync('/proc/net/udp', 'latin1'), port);
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
/** NLM_F_REQUEST | NLM_F_DUMP. */
const DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const AF_INET = 2;
const IPPROTO_UDP = 17;
const REPLY_BYTES = 65_536;
const MSG_DONTWAIT = 0x40;
/** A dump has one reply for some hundred sockets; a kernel that never says that it is done must not hold us. */
const MAX_REPLIES = 1_024;

function fromSockDiag(port: number): PortHolder[] | undefined {
  let libc: Libc;
  try {
    libc = openLibc();
  } catch {
    return undefined;
  }
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return undefined;
  try {
    // struct nlmsghdr, then struct inet_diag_req_v2 with all states and no address.
    const request = Buffer.alloc(HEADER_BYTES + 56);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
    request.writeUInt16LE(DUMP, 6);
    request[HEADER_BYTES] = AF_INET;
    request[HEADER_BYTES + 1] = IPPROTO_UDP;
    request.writeUInt32LE(0xffff_ffff, HEADER_BYTES + 4);
    // struct sockaddr_nl of the kernel.
    const kernel = new Uint8Array(12);
    kernel[0] = AF_NETLINK;
    if (libc.sendto(fd, request, 0, kernel) !== request.length) return undefined;
    const found: PortHolder[] = [];
    for (let replies = 0; replies < MAX_REPLIES; replies += 1) {
      const reply = receive(libc, fd);
      if (reply === undefined) return undefined;
      const state = readReply(reply, port, found);
      if (state === 'error') return undefined;
      if (state === 'done') return found;
    }
    return undefined;
  } finally {
    libc.close(fd);
  }
}

/** The kernel has answered before `sendto` returns: nothing there means that nothing will come. */
function receive(libc: Libc, fd: number): Buffer | undefined {
  const data = Buffer.alloc(REPLY_BYTES);
  const vector = new BigUint64Array([libc.addressOf(data), BigInt(REPLY_BYTES)]);
  // struct mmsghdr: no name, one iovec, no control; the length that came is behind it.
  const message = new BigUint64Array(8);
  message[2] = libc.addressOf(new Uint8Array(vector.buffer));
  message[3] = 1n;
  const bytes = new Uint8Array(message.buffer);
  if (libc.recvmmsg(fd, bytes, 1, MSG_DONTWAIT) !== 1) return undefined;
  return data.subarray(0, Number((message[7] ?? 0n) & 0xffff_ffffn));
}

function readReply(reply: Buffer, port: number, found: PortHolder[]): 'more' | 'done' | 'error' {
  for (let at = 0; at + HEADER_BYTES <= reply.length;) {
    const length = reply.readUInt32LE(at);
    const type = reply.readUInt16LE(at + 4);
    if (type === NLMSG_DONE) return 'done';
    if (type === NLMSG_ERROR || length < HEADER_BYTES) return 'error';
    // struct inet_diag_msg.
    const socket = reply.subarray(at + HEADER_BYTES, at + length);
    if (socket.length >= 72 && socket.readUInt16BE(4) === port) {
      found.push({
        address: socket.subarray(8, 12).join('.'),
        inode: socket.readUInt32LE(68),
        interfaceIndex: socket.readUInt32LE(40),
      });
    }
    at += (length + 3) & ~3;
  }
  return 'more';
}

/** `/proc/net/udp`: addresses are hexadecimal in host byte order. */
export function fromProc(text: string, port: number): PortHolder[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const match = /^([0-9A-F]{8}):([0-9A-F]{4})$/.exec(fields[1] ?? '');
    if (match === null || Number.parseInt(match[2] ?? '', 16) !== port) return [];
    const bytes = Buffer.from(match[1] ?? '', 'hex').toReversed();
    return [{ address: bytes.join('.'), inode: Number(fields[9]), interfaceIndex: undefined }];
  });
}
