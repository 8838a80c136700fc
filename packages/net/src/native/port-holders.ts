import { readFileSync } from 'node:fs';
import { openLibc, type Libc } from './libc.ts';
import { NLM_F_DUMP, NLM_F_REQUEST, openNetlink } from './netlink.ts';

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

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const IPPROTO_UDP = 17;
/** struct inet_diag_req_v2 and struct inet_diag_msg. */
const REQUEST_BYTES = 56;
const SOCKET_BYTES = 72;

function fromSockDiag(port: number): PortHolder[] | undefined {
  let libc: Libc;
  try {
    libc = openLibc();
  } catch {
    return undefined;
  }
  const socket = openNetlink(libc, NETLINK_SOCK_DIAG);
  if (socket === undefined) return undefined;
  try {
    // All states and no address.
    const request = Buffer.alloc(REQUEST_BYTES);
    request[0] = AF_INET;
    request[1] = IPPROTO_UDP;
    request.writeUInt32LE(0xffff_ffff, 4);
    return socket.ask(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, request)?.flatMap((message): PortHolder[] => {
      if (message.byteLength < SOCKET_BYTES || message.getUint16(4) !== port) return [];
      return [
        {
          address: new Uint8Array(message.buffer, 8, 4).join('.'),
          inode: message.getUint32(68, true),
          interfaceIndex: message.getUint32(40, true),
        },
      ];
    });
  } finally {
    socket.close();
  }
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
