import { writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { isIPv4 } from 'node:net';
import { Worker } from 'node:worker_threads';
import { encodeTftp, tftpOack } from '@ingot/wire';
import { indexOfInterface, packSocketAddress, type Clock, type Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { threadDeaths } from '../../limits/thread-deaths.ts';
import { transferTerms, type TftpEngine, type TftpJob, type TftpTransfer } from '../engine.ts';
import type { TftpResult } from '../transfer-state.ts';
import { Counter, type News, type Order, type WorkerSetUp } from './messages.ts';
import { checked, openSocket } from './open-socket.ts';

export interface NativeEngineOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly log: Logger;
  /** Send from the listeners' own port: then every packet to it comes here first, and what is a listener's is passed on. */
  readonly singlePort: boolean;
  /** For what is in no memfd, and when the thread dies again and again. */
  readonly fallback: TftpEngine;
  /** For tests. */
  readonly startWorker?: (setUp: WorkerSetUp) => Worker;
}

/** How long the thread may take to say goodbye. */
const QUIT_MS = 2_000;

const EFD_CLOEXEC = 0o2_000_000;
const EFD_NONBLOCK = 0o4_000;
/** fcntl(2) */
const F_GET_SEALS = 1034;
const F_SEAL_SHRINK = 0x2;
const F_SEAL_WRITE = 0x8;

interface Socket {
  readonly fd: number;
  readonly onStray: TftpJob['onStray'];
}

interface Running {
  readonly job: TftpJob;
  readonly resolve: (result: TftpResult) => void;
  readonly unmap: () => void;
}

/**
 * Sends from a thread of its own, whose loop takes many clients' ACKs with one system call and answers with another:
 * every transfer of one listening address has the same port, and differs by the client's. In single-port mode IPv6 is the
 * fallback's. Throws where it cannot work.
 */
export function nativeEngine(options: NativeEngineOptions): TftpEngine {
  const { libc, clock, log, singlePort, fallback } = options;
  // Structures are written as 64-bit little-endian hosts have them.
  if (endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) throw new Error('it knows x64 and arm64 only');
  const wakeFd = checked(libc, 'eventfd', libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const running = new Map<number, Running>();
  const sockets = new Map<string, Socket>();
  const mapped = new Map<number, { readonly address: bigint; users: number }>();
  const deaths = threadDeaths(clock);
  let lastId = 0;
  let isStopped = false;
  let worker: { thread: Worker; counters: Int32Array; exited: Promise<void> } | undefined;

  const order = (what: Order): void => {
    if (worker === undefined) return;
    // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
    worker.thread.postMessage(what);
    Atomics.add(worker.counters, Counter.ORDERS, 1);
    writeSync(wakeFd, ONE);
  };
  const start = (): void => {
    const shared = new SharedArrayBuffer(8);
    const thread = (options.startWorker ?? startWorker)({ wakeFd, counters: shared });
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    const counters = new Int32Array(shared);
    const started = { thread, counters, exited };
    let failure: Error | undefined;
    thread.on('message', (news: News) => take(news, counters));
    thread.on('error', (error: Error) => {
      failure = error;
    });
    thread.on('exit', () => {
      resolve();
      if (worker === started) worker = undefined;
      if (!isStopped) restart(failure);
    });
    worker = started;
    for (const { fd } of sockets.values()) order({ kind: 'socket', fd, tellsStrays: singlePort });
  };
  const take = (news: News, counters: Int32Array): void => {
    switch (news.kind) {
      case 'heard':
        return running.get(news.id)?.job.onHeard?.();
      case 'ended':
        return end(news.id, news.result);
      case 'stray': {
        const { fd, data, source } = news;
        Atomics.add(counters, Counter.STRAYS, 1);
        for (const socket of sockets.values()) if (socket.fd === fd) socket.onStray?.({ data, source });
        return;
      }
      default:
        return news satisfies never;
    }
  };
  const restart = (failure: Error | undefined): void => {
    const isHopeless = deaths.died();
    log.error(
      { event: 'tftp.engine-failed', err: failure, transfers: running.size, engine: isHopeless ? 'node' : 'native' },
      isHopeless
        ? 'the TFTP thread died again; sending without it from now on'
        : 'the TFTP thread died; starting it again',
    );
    const detail = 'the sending thread died';
    for (const id of running.keys())
      end(id, { end: { kind: 'failed', cause: 'engine-failed', detail }, bytes: 0, retransmissions: 0 });
    if (!isHopeless) return start();
    // The listeners hear their port again.
    closeSockets();
  };
  const closeSockets = (): void => {
    for (const { fd } of sockets.values()) libc.close(fd);
    sockets.clear();
  };
  const end = (id: number, result: TftpResult): void => {
    const transfer = running.get(id);
    running.delete(id);
    transfer?.unmap();
    transfer?.resolve(result);
  };
  const map = (fd: number, sizeBytes: number): { readonly address: number; readonly unmap: () => void } | undefined => {
    if (sizeBytes === 0) return { address: 0, unmap: () => undefined };
    let entry = mapped.get(fd);
    if (entry === undefined) {
      // What may shrink would end the process with SIGBUS.
      const seals = libc.fcntl(fd, F_GET_SEALS, 0);
      if (seals < 0 || (seals & F_SEAL_SHRINK) === 0 || (seals & F_SEAL_WRITE) === 0) return undefined;
      const address = libc.mapForReading(fd, sizeBytes);
      if (address === undefined) return undefined;
      entry = { address, users: 0 };
      mapped.set(fd, entry);
    }
    const { address } = entry;
    entry.users += 1;
    return {
      address: Number(address),
      unmap: () => {
        entry.users -= 1;
        if (entry.users > 0) return;
        mapped.delete(fd);
        libc.munmap(address, sizeBytes);
      },
    };
  };
  const socketOf = ({ listener, device, onStray }: TftpJob): number => {
    const { address, port } = listener.address;
    // An interface that was made anew is another: a socket of the one before sends nowhere.
    const key = `${address} ${device ?? ''} ${device === undefined ? '' : (indexOfInterface(device) ?? '')}`;
    const known = sockets.get(key);
    if (known !== undefined) return known.fd;
    const fd = openSocket(libc, { address, port: singlePort ? port : 0 }, device);
    sockets.set(key, { fd, onStray });
    order({ kind: 'socket', fd, tellsStrays: singlePort });
    return fd;
  };

  start();
  return {
    name: 'native',
    sharesPort: singlePort,
    start: async (job) => {
      const { content, terms } = job;
      // A link-local address needs its interface, which the fallback's sockets know how to name.
      const canName = singlePort ? isIPv4(job.peer.address) : !job.peer.address.includes('%');
      const canSend = worker !== undefined && content.fd !== undefined && canName;
      const file = canSend ? map(content.fd, content.sizeBytes) : undefined;
      if (file === undefined) return fallback.start(job);
      lastId += 1;
      const id = lastId;
      const { promise: ended, resolve } = Promise.withResolvers<TftpResult>();
      try {
        const fd = socketOf(job);
        running.set(id, { job, resolve, unmap: file.unmap });
        order({
          kind: 'start',
          id,
          fd,
          peer: packSocketAddress(job.peer),
          terms: transferTerms(job),
          oack: terms.accepted.length > 0 ? encodeTftp(tftpOack(terms.accepted)) : undefined,
          dataAddress: file.address,
          sizeBytes: content.sizeBytes,
        });
      } catch (error) {
        running.delete(id);
        file.unmap();
        throw error;
      }
      const transfer: TftpTransfer = {
        ended,
        stop: () => order({ kind: 'stop', id }),
        supersede: () => order({ kind: 'supersede', id }),
        displace: () => order({ kind: 'displace', id }),
        receive: (data) => order({ kind: 'packet', id, data }),
      };
      return transfer;
    },
    stop: async () => {
      isStopped = true;
      const last = worker;
      order({ kind: 'quit' });
      if (last !== undefined) {
        const deadline = new AbortController();
        await Promise.race([last.exited, clock.sleep(QUIT_MS, deadline.signal).catch(() => undefined)]);
        deadline.abort();
        await last.thread.terminate();
      }
      const detail = 'the server stops';
      for (const id of running.keys())
        end(id, { end: { kind: 'failed', cause: 'stopped', detail }, bytes: 0, retransmissions: 0 });
      closeSockets();
      libc.close(wakeFd);
      await fallback.stop();
    },
  };
}

/** eventfd(2): the number that is added. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

function startWorker(workerData: WorkerSetUp): Worker {
  return new Worker(new URL('worker.ts', import.meta.url), { workerData, name: 'tftp' });
}
