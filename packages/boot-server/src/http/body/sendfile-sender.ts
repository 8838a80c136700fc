import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Libc } from '@ingot/net';
import { BootServerError, BootServerErrorCode } from '../../errors.ts';
import type { Body, BodyEnd, BodyLimits, BodySender } from './sender.ts';
import type { FromThread, ThreadData, ToThread } from './sendfile-messages.ts';
import { descriptorOf } from './socket-fd.ts';

/** fcntl(2): F_LINUX_SPECIFIC_BASE + 6 */
const F_DUPFD_CLOEXEC = 1030;
/** eventfd(2) */
const EFD_CLOEXEC = 0x8_0000;
const ONE = Buffer.from(new BigUint64Array([1n]).buffer);

/** A sender that takes only what the kernel can send by itself. */
export interface SendfileSender extends BodySender {
  /** Whether this body can go this way: a plain socket that is free, and content in a file. */
  takes(body: Body): boolean;
}

/**
 * Sends from a thread of its own by sendfile(2), past Node's streams: Node writes the head, the thread the body through
 * a duplicate of the socket's descriptor, and Node goes on with the connection. `onFailure` is called once if the
 * thread dies; after that nothing can go this way.
 */
export function startSendfileSender(libc: Libc, limits: BodyLimits, onFailure: (error: Error) => void): SendfileSender {
  const wake = libc.eventfd(0, EFD_CLOEXEC);
  if (wake < 0)
    throw new BootServerError(BootServerErrorCode.ListenFailed, `eventfd(2) fails with errno ${libc.errno()}`);
  const { port1: port, port2 } = new MessageChannel();
  const data: ThreadData = { port: port2, wake, limits };
  const thread = new Worker(new URL('sendfile-thread.ts', import.meta.url), {
    name: 'sendfile',
    workerData: data,
    transferList: [port2],
  });
  const waiting = new Map<number, (end: BodyEnd) => void>();
  let lastId = 0;
  let isUsable = true;

  const tell = (message: ToThread): void => {
    port.postMessage(message);
    writeSync(wake, ONE);
  };
  port.on('message', ({ id, kind }: FromThread) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.({ kind });
  });
  const over = (error: Error): void => {
    isUsable = false;
    for (const resolve of waiting.values()) resolve({ kind: 'failed', error });
    waiting.clear();
  };
  thread.on('error', (error) => {
    over(error instanceof Error ? error : new Error(String(error)));
    onFailure(error instanceof Error ? error : new Error(String(error)));
  });
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      over(new Error('the sending thread has ended'));
      resolve();
    });
  });

  const handOver = (body: Body, socket: Socket): Promise<BodyEnd> => {
    const { artifact, position, length, client } = body;
    const fd = descriptorOf(socket);
    if (!isUsable || fd === undefined || artifact.fd === undefined) return Promise.resolve({ kind: 'gone' });
    const own = libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
      return Promise.resolve({ kind: 'failed', error: new Error(`fcntl(2) fails with errno ${libc.errno()}`) });
    lastId = lastId >= 0xffff_fffe ? 1 : lastId + 1;
    const id = lastId;
    const cancel = (): void => {
      if (waiting.has(id)) tell({ kind: 'cancel', id });
    };
    socket.once('close', cancel);
    return new Promise<BodyEnd>((resolve) => {
      waiting.set(id, (end) => {
        socket.off('close', cancel);
        resolve(end);
      });
      tell({ kind: 'send', job: { id, socket: own, file: artifact.fd ?? -1, position, length, client } });
    });
  };
  return {
    kind: 'native',
    takes: ({ response, artifact }) =>
      isUsable &&
      artifact.fd !== undefined &&
      // Undefined while an earlier answer of the same connection is on its way.
      response.socket !== null &&
      descriptorOf(response.socket) !== undefined,
    send: async (body) => {
      const { response } = body;
      const { socket } = response;
      if (socket === null) return { kind: 'gone' };
      // Node does not see the bytes go: its idle timer would end the connection. The thread has its own.
      socket.setTimeout(0);
      response.flushHeaders();
      await new Promise<void>((resolve) => {
        socket.once('close', resolve);
        // Behind the head, and empty: its callback says that the head is in the kernel.
        socket.write('', () => {
          socket.off('close', resolve);
          resolve();
        });
      });
      const end = await handOver(body, socket);
      if (end.kind !== 'done') response.destroy();
      // A client that has its last byte may hang up before this thread hears that it was sent.
      else if (!socket.destroyed)
        await new Promise<void>((resolve) => {
          response.once('close', resolve);
          response.end();
        });
      return end;
    },
    setRate: (perSecond) => {
      if (isUsable) tell({ kind: 'rate', perSecond });
    },
    stop: async () => {
      if (isUsable) tell({ kind: 'stop' });
      await exited;
      port.close();
      libc.close(wake);
    },
  };
}
