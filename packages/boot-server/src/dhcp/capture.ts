import { Worker } from 'node:worker_threads';
import { DHCP_SERVER_PORT, IPV4_BROADCAST, type Ipv4 } from '@ingot/wire';
import {
  bindCapture,
  indexOfInterface,
  openCapture,
  openFrames,
  openRaw,
  readUdpPacket,
  udpPacket,
  type Clock,
  type Datagram,
  type FrameSocket,
  type InterfaceWatch,
  type Libc,
  type RawSocket,
  type Timer,
} from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { DhcpConfig } from '../config/dhcp.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootMetrics } from '../metrics.ts';
import { CaptureWord, type Captured, type CaptureSetUp } from './capture-messages.ts';
import { interfaceOf } from './client-link.ts';
import type { ReplySocket } from './engine.ts';

interface CaptureLink {
  readonly name: string;
  /** Of the interface that has that name now. */
  readonly interfaceIndex: number;
  readonly fd: number;
}

/** Sockets below those of other programs, opened while we may. */
export interface CaptureSockets {
  readonly links: readonly CaptureLink[];
  readonly frames: FrameSocket;
  readonly raw: RawSocket;
  close(): void;
}

/** For mode capture, else undefined. Throws BootServerError LISTEN_FAILED. */
export function chooseCapture(
  config: DhcpConfig,
  libc: Libc | undefined,
  watch: InterfaceWatch,
): CaptureSockets | undefined {
  if (config.capture !== true) return undefined;
  const names = new Set([
    ...(config.interfaces ?? []),
    ...config.listen.map((address) => interfaceOf(address) ?? failed(`${address} is on no interface of this host`)),
  ]);
  const frames = libc && openFrames(libc);
  const raw = libc && openRaw(libc);
  const links: { -readonly [Field in keyof CaptureLink]: CaptureLink[Field] }[] = [];
  const unfollow: (() => void)[] = [];
  const close = (): void => {
    for (const each of unfollow) each();
    for (const { fd } of links) libc?.close(fd);
    frames?.close();
    raw?.close();
  };
  try {
    if (libc === undefined || frames === undefined || raw === undefined)
      failed('it takes CAP_NET_RAW, the address family AF_PACKET, and a Node with node:ffi');
    for (const name of names) {
      const interfaceIndex = indexOfInterface(name) ?? failed(`there is no interface ${name}`);
      const link = { name, interfaceIndex, fd: openCapture(libc, interfaceIndex, DHCP_SERVER_PORT) };
      links.push(link);
      unfollow.push(
        watch.follow(name, () =>
          Promise.try(() => {
            link.interfaceIndex = indexOfInterface(name) ?? failed(`there is no interface ${name}`);
            bindCapture(libc, link.fd, link.interfaceIndex);
          }),
        ),
      );
    }
    return { links, frames, raw, close };
  } catch (error) {
    close();
    if (error instanceof BootServerError) throw error;
    return failed(wordsOf(error), error);
  }
}

function failed(why: string, cause?: unknown): never {
  throw new BootServerError(BootServerErrorCode.ListenFailed, `dhcp.capture: ${why}`, cause);
}

const ALL = new Uint8Array(6).fill(0xff);

/** Answers from an own address, port 67, without having that port: broadcasts by frame, the rest as the routes say. */
export function captureReplies(sockets: CaptureSockets, link: CaptureLink, own: Ipv4): ReplySocket {
  return {
    sendBatch: (datagrams, onFailure) => {
      for (const each of datagrams) {
        const { data, target } = each;
        const packet = udpPacket({ address: own, port: DHCP_SERVER_PORT }, target, data);
        const isSent =
          target.address === IPV4_BROADCAST
            ? sockets.frames.send(link.interfaceIndex, ALL, packet)
            : sockets.raw.send(target.address, packet);
        if (!isSent) onFailure(each, new Error(`the kernel does not send to ${target.address}`));
      }
    },
  };
}

/** A thread that died is started again after … */
const RESTART_MS = 1_000;

/**
 * Hears port 67 of the sockets' interfaces by a thread. `onDatagrams`: those to all or to one of `addresses`; other
 * people's, which a router sees pass, are left alone.
 */
export function startCapture(components: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly sockets: CaptureSockets;
  readonly addresses: ReadonlySet<string>;
  readonly onDatagrams: (index: number, datagrams: readonly Datagram[]) => void;
}): { stop(): Promise<void> } {
  const { clock, log, metrics, sockets, addresses, onDatagrams } = components;
  let thread: { worker: Worker; control: Int32Array; exited: Promise<void> } | undefined;
  let again: Timer | undefined;
  let isStopped = false;
  const start = (): void => {
    const words = new SharedArrayBuffer(Object.keys(CaptureWord).length * 4);
    const control = new Int32Array(words);
    const setUp: CaptureSetUp = { fds: sockets.links.map(({ fd }) => fd), words };
    const worker = new Worker(new URL('capture-thread.ts', import.meta.url), { workerData: setUp, name: 'dhcp' });
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    thread = { worker, control, exited };
    let failure: Error | undefined;
    worker.on('message', ({ index, packets }: Captured) => {
      Atomics.sub(control, CaptureWord.UNDER_WAY, packets.length);
      if (Atomics.exchange(control, CaptureWord.LOST, 0) > 0) metrics.drop('dhcp', 'overrun');
      if (isStopped) return;
      const datagrams = packets.flatMap((packet) => {
        const read = readUdpPacket(packet);
        const isOurs = read?.target.address === IPV4_BROADCAST || addresses.has(read?.target.address ?? '');
        return read === undefined || !isOurs ? [] : [read];
      });
      if (datagrams.length > 0) onDatagrams(index, datagrams);
    });
    worker.on('error', (error: Error) => {
      failure = error;
    });
    worker.on('exit', () => {
      resolve();
      if (isStopped) return;
      log.error({ event: 'dhcp.capture-failed', err: failure }, 'the thread that hears DHCP died, and starts again');
      again = clock.setTimeout(start, RESTART_MS);
    });
  };
  start();
  return {
    stop: async () => {
      isStopped = true;
      again?.cancel();
      if (thread === undefined) return;
      Atomics.store(thread.control, CaptureWord.STOP, 1);
      await thread.exited;
    },
  };
}
