// The one file of the network layer that calls libc. Everything built on it has a path without it.

/**
 * The system calls that Node lacks and a fast boot server wants. Each returns what the call returns, negative for an
 * error, with the reason in `errno()`. Integers are plain numbers; sizes and offsets must stay below 2^53. Structures
 * are the caller's: packed in a Buffer, in host byte order, as the manual page of the call has them.
 */
export interface Libc {
  /** Of the last failed call on this thread; read it at once. */
  errno(): number;
  /** Where a buffer's bytes are, for a pointer inside a structure. Keep the buffer alive while the kernel may use it. */
  addressOf(buffer: Uint8Array): bigint;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): number;
  /** Fills in the local address. */
  getsockname(fd: number, address: Uint8Array): number;
  connect(fd: number, address: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array): number;
  sendto(fd: number, data: Uint8Array, flags: number, address: Uint8Array): number;
  /**
   * The address of a struct msghdr. For one message they cost a third of recvmmsg and sendmmsg here: Node has a short
   * way for up to three arguments, none of them a buffer.
   */
  recvmsg(fd: number, header: bigint, flags: number): number;
  sendmsg(fd: number, header: bigint, flags: number): number;
  /** `vector`: `count` times struct mmsghdr. */
  recvmmsg(fd: number, vector: Uint8Array, count: number, flags: number): number;
  sendmmsg(fd: number, vector: Uint8Array, count: number, flags: number): number;
  epollCreate(flags: number): number;
  /** `event`: struct epoll_event, ignored for EPOLL_CTL_DEL. */
  epollCtl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  /** `timeoutMs` -1 waits for ever. */
  epollWait(epoll: number, events: Uint8Array, maxEvents: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  /** `vector`: `count` times struct iovec. */
  preadv(fd: number, vector: Uint8Array, count: number, offset: number): number;
  /** Maps a file from its start, for reading; where it is, or undefined for an error. */
  mapForReading(fd: number, sizeBytes: number): bigint | undefined;
  munmap(address: bigint, sizeBytes: number): number;
  sendfile(to: number, from: number, offset: number, count: number): number;
  memfdCreate(name: string, flags: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  close(fd: number): number;
  prctl(option: number, argument: number): number;
  /** `header`: struct __user_cap_header_struct, `data`: twice struct __user_cap_data_struct; of the calling thread. */
  capset(header: Uint8Array, data: Uint8Array): number;
}

/** mmap(2) */
const PROT_READ = 0x1;
const MAP_SHARED = 0x1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Binds the calls; throws where this platform has no libc with all of them. */
export function openLibc(): Libc {
  // Not imported: only a process that calls libc shall depend on an experimental part of Node, and be told so.
  const { dlopen, getInt32, getRawPointer } = process.getBuiltinModule('node:ffi');
  // null: the process itself, which has libc loaded whatever its file name is.
  const { functions: c } = dlopen(null, {
    __errno_location: { return: 'pointer', arguments: [] },
    socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
    bind: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
    getsockname: { return: 'i32', arguments: ['i32', 'buffer', 'buffer'] },
    connect: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
    getsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'] },
    mmap: { return: 'pointer', arguments: ['pointer', 'u64', 'i32', 'i32', 'i32', 'i64'] },
    munmap: { return: 'i32', arguments: ['pointer', 'u64'] },
    setsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'] },
    sendto: { return: 'i64', arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'] },
    recvmsg: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
    sendmsg: { return: 'i32', arguments: ['i32', 'pointer', 'i32'] },
    recvmmsg: { return: 'i32', arguments: ['i32', 'buffer', 'u32', 'i32', 'pointer'] },
    sendmmsg: { return: 'i32', arguments: ['i32', 'buffer', 'u32', 'i32'] },
    epoll_create1: { return: 'i32', arguments: ['i32'] },
    epoll_ctl: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'buffer'] },
    epoll_wait: { return: 'i32', arguments: ['i32', 'buffer', 'i32', 'i32'] },
    eventfd: { return: 'i32', arguments: ['u32', 'i32'] },
    preadv: { return: 'i64', arguments: ['i32', 'buffer', 'i32', 'i64'] },
    sendfile: { return: 'i64', arguments: ['i32', 'i32', 'buffer', 'u64'] },
    memfd_create: { return: 'i32', arguments: ['buffer', 'u32'] },
    fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i64'] },
    close: { return: 'i32', arguments: ['i32'] },
    prctl: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'u64', 'u64'] },
    capset: { return: 'i32', arguments: ['buffer', 'buffer'] },
  });
  const sendfileOffset = new BigInt64Array(1);
  const sendfileOffsetBytes = new Uint8Array(sendfileOffset.buffer);
  return {
    // oxlint-disable-next-line no-underscore-dangle -- glibc's and musl's name of it
    errno: () => getInt32(c.__errno_location()),
    addressOf: (buffer) => getRawPointer(buffer),
    socket: c.socket,
    bind: (fd, address) => c.bind(fd, address, address.byteLength),
    getsockname: (fd, address) => c.getsockname(fd, address, lengthOf(address)),
    connect: (fd, address) => c.connect(fd, address, address.byteLength),
    getsockopt: (fd, level, name, value) => c.getsockopt(fd, level, name, value, lengthOf(value)),
    mapForReading: (fd, sizeBytes) => {
      const address = c.mmap(null, BigInt(sizeBytes), PROT_READ, MAP_SHARED, fd, 0n);
      return address === MAP_FAILED ? undefined : address;
    },
    munmap: (address, sizeBytes) => c.munmap(address, BigInt(sizeBytes)),
    setsockopt: (fd, level, name, value) => c.setsockopt(fd, level, name, value, value.byteLength),
    sendto: (fd, data, flags, address) =>
      Number(c.sendto(fd, data, BigInt(data.byteLength), flags, address, address.byteLength)),
    recvmsg: c.recvmsg,
    sendmsg: c.sendmsg,
    recvmmsg: (fd, vector, count, flags) => c.recvmmsg(fd, vector, count, flags, null),
    sendmmsg: c.sendmmsg,
    epollCreate: c.epoll_create1,
    epollCtl: c.epoll_ctl,
    epollWait: c.epoll_wait,
    eventfd: c.eventfd,
    preadv: (fd, vector, count, offset) => Number(c.preadv(fd, vector, count, BigInt(offset))),
    sendfile: (to, from, offset, count) => {
      sendfileOffset[0] = BigInt(offset);
      return Number(c.sendfile(to, from, sendfileOffsetBytes, BigInt(count)));
    },
    memfdCreate: (name, flags) => c.memfd_create(Buffer.from(`${name}\0`), flags),
    fcntl: (fd, command, argument) => c.fcntl(fd, command, BigInt(argument)),
    close: c.close,
    prctl: (option, argument) => c.prctl(option, BigInt(argument), 0n, 0n, 0n),
    capset: c.capset,
  };
}

/** A socklen_t that the kernel reads and writes. */
function lengthOf(value: Uint8Array): Uint8Array {
  return new Uint8Array(Uint32Array.of(value.byteLength).buffer);
}
