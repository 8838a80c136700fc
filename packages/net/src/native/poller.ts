import type { Libc } from './libc.ts';

/** epoll_ctl(2), epoll(7). */
const EPOLL_CLOEXEC = 0x8_0000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 0x001;
const EPOLLOUT = 0x004;
const EPOLLET = 0x8000_0000;
/** struct epoll_event is packed on x86-64, and on no other architecture. */
const DATA_OFFSET = process.arch === 'x64' ? 4 : 8;
const EVENT_BYTES = DATA_OFFSET + 8;
const EVENTS_PER_WAIT = 256;

/** Waits for many file descriptors at once: epoll(7), edge-triggered. */
export interface Poller {
  /** For a poller of another thread on the same set: one waits, the other adds and removes. */
  readonly fd: number;
  /** `id` is an unsigned 32-bit number of the caller's. Throws where the kernel refuses. */
  add(fd: number, id: number, what: 'readable' | 'writable'): void;
  /** Before the descriptor is closed: a duplicate elsewhere would keep it in the set. */
  remove(fd: number): void;
  /** Ids of what became ready, or failed; none after `timeoutMs`. */
  wait(timeoutMs: number): readonly number[];
  /** The set itself, for every poller on it. */
  close(): void;
}

/** Throws where the kernel refuses. `shared`: the set of another poller. */
export function createPoller(libc: Libc, shared?: number): Poller {
  const epoll = shared ?? libc.epollCreate(EPOLL_CLOEXEC);
  if (epoll < 0) throw new Error(`epoll_create1(2) fails with errno ${libc.errno()}`);
  const one = Buffer.alloc(EVENT_BYTES);
  const many = Buffer.alloc(EVENT_BYTES * EVENTS_PER_WAIT);
  const oneView = new DataView(one.buffer, one.byteOffset, one.byteLength);
  const manyView = new DataView(many.buffer, many.byteOffset, many.byteLength);
  return {
    fd: epoll,
    add: (fd, id, what) => {
      oneView.setUint32(0, (what === 'readable' ? EPOLLIN : EPOLLOUT) + EPOLLET, true);
      oneView.setUint32(DATA_OFFSET, id, true);
      if (libc.epollCtl(epoll, EPOLL_CTL_ADD, fd, one) < 0)
        throw new Error(`epoll_ctl(2) fails with errno ${libc.errno()}`);
    },
    remove: (fd) => void libc.epollCtl(epoll, EPOLL_CTL_DEL, fd, one),
    wait: (timeoutMs) => {
      // Interrupted by a signal (negative) is as good as nothing ready.
      const count = libc.epollWait(epoll, many, EVENTS_PER_WAIT, timeoutMs);
      const ids: number[] = [];
      for (let index = 0; index < count; index += 1)
        ids.push(manyView.getUint32(index * EVENT_BYTES + DATA_OFFSET, true));
      return ids;
    },
    close: () => void libc.close(epoll),
  };
}
