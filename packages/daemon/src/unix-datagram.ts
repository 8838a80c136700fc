import { endianness } from 'node:os';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const MSG_NOSIGNAL = 0x4000;
// struct sockaddr_un: a 16-bit family, and 108 bytes of path.
const FAMILY_BYTES = 2;
const PATH_BYTES = 108;

/**
 * Sends one datagram to a unix socket: a path, or `@name` for an abstract one. Node has no unix datagrams of its own,
 * and a child process (`systemd-notify`) would not be the main process, whose word alone systemd takes. This is the
 * only file that calls C. Rejects when the path is too long or the kernel refuses.
 */
export async function sendUnixDatagram(path: string, text: string): Promise<void> {
  // Loaded when first needed: the module is experimental, and warns so.
  const { dlopen } = await import('node:ffi');
  const address = socketAddress(path);
  const data = Buffer.from(text);
  // null: the process itself, which has libc loaded whatever its file name is.
  using library = dlopen(null, {
    socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
    sendto: { return: 'i64', arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'] },
    close: { return: 'i32', arguments: ['i32'] },
  });
  const { socket, sendto, close } = library.functions;
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error('the kernel gives no unix socket');
  try {
    const sent = sendto(descriptor, data, BigInt(data.byteLength), MSG_NOSIGNAL, address, address.byteLength);
    if (sent !== BigInt(data.byteLength)) throw new Error(`nobody takes datagrams at ${path}`);
  } finally {
    close(descriptor);
  }
}

function socketAddress(path: string): Buffer {
  const abstract = path.startsWith('@');
  if (!abstract && !path.startsWith('/')) throw new Error(`"${path}" is neither an absolute path nor an abstract name`);
  // An abstract name begins with NUL and ends where the address ends; a path ends with NUL.
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.byteLength > PATH_BYTES) throw new Error(`"${path}" is longer than a unix socket's path may be`);
  const address = Buffer.alloc(FAMILY_BYTES + name.byteLength);
  if (endianness() === 'LE') address.writeUInt16LE(AF_UNIX);
  else address.writeUInt16BE(AF_UNIX);
  name.copy(address, FAMILY_BYTES);
  return address;
}
