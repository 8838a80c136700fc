import { writeSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
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
  /** Whether this body can go this way: a plain socket, and content in a file. */
  takes(body: Body): boolean;
}

export interface SendfileOptions {
  readonly libc: Libc;
  readonly limits: BodyLimits;
  /** The thread died, with so many bodies on their way; each has ended as `failed`. Nothing can go this way any more. */
  readonly onDeath: (error: Error, bodies: number) => void;
  /** For tests. */
  readonly startThread?: ((data: ThreadData) => Worker) | undefined;
}

interface Running {
  /** A duplicate of the socket's descriptor: the thread's to use, ours to close when it says that it is done with it. */
  readonly fd: number;
  readonly resolve: (end: BodyEnd) => void;
}

/**
 * Sends from a thread of its own by sendfile(2), past Node's streams: Node writes the head, the thread the body through
 * a duplicate of the socket's descriptor, and Node goes on with the connection.
 */
export function startSendfileSender(options: SendfileOptions): SendfileSender {
  const { libc, limits, onDeath } = options;
  const wake = libc.eventfd(0, EFD_CLOEXEC);
  if (wake < 0)
    throw new BootServerError(BootServerErrorCode.ListenFailed, `eventfd(2) fails with errno ${libc.errno()}`);
  const { port1: port, port2 } = new MessageChannel();
  const thread = (options.startThread ?? startThread)({ port: port2, wake, limits });
  const running = new Map<number, Running>();
  let lastId = 0;
  let state: 'usable' | 'stopping' | 'over' = 'usable';
  let failure: Error | undefined;

  const tell = (message: ToThread): void => {
    if (state === 'over') return;
    port.postMessage(message);
    writeSync(wake, ONE);
  };
  const end = (id: number, how: BodyEnd): void => {
    const job = running.get(id);
    if (job === undefined) return;
    running.delete(id);
    libc.close(job.fd);
    job.resolve(how);
  };
  port.on('message', ({ id, kind }: FromThread) => end(id, { kind }));
  thread.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      // What it had done when it ended.
      for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
        const { id, kind }: FromThread = last.message;
        end(id, { kind });
      }
      const wasStopping = state === 'stopping';
      const error = failure ?? new Error('the sending thread has ended');
      const bodies = running.size;
      state = 'over';
      for (const id of running.keys()) end(id, { kind: 'failed', error });
      port.close();
      libc.close(wake);
      if (!wasStopping) onDeath(error, bodies);
      resolve();
    });
  });

  const handOver = ({ artifact, position, length, client }: Body, socket: Socket): Promise<BodyEnd> => {
    const fd = descriptorOf(socket);
    if (fd === undefined) return Promise.resolve({ kind: 'gone' });
    if (state !== 'usable' || artifact.fd === undefined)
      return Promise.resolve({ kind: 'failed', error: failure ?? new Error('the sending thread has ended') });
    const own = libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
      return Promise.resolve({ kind: 'failed', error: new Error(`fcntl(2) fails with errno ${libc.errno()}`) });
    lastId = lastId >= 0xffff_fffe ? 1 : lastId + 1;
    const id = lastId;
    const cancel = (): void => tell({ kind: 'cancel', id });
    socket.once('close', cancel);
    tell({ kind: 'send', job: { id, socket: own, file: artifact.fd, position, length, client } });
    return new Promise<BodyEnd>((resolve) => {
      running.set(id, {
        fd: own,
        resolve: (how) => {
          socket.off('close', cancel);
          resolve(how);
        },
      });
    });
  };
  return {
    kind: 'native',
    takes: ({ response, artifact }) =>
      state === 'usable' && artifact.fd !== undefined && descriptorOf(response.req.socket) !== undefined,
    send: async (body) => {
      const { response } = body;
      const { socket } = response.req;
      if (!(await headSent(response, socket))) return { kind: 'gone' };
      // Node does not see the bytes go: its idle timer would end the connection. The thread has its own.
      const { timeout } = socket;
      socket.setTimeout(0);
      const how = await handOver(body, socket);
      if (how.kind !== 'done') response.destroy();
      // A client that has its last byte may hang up before this thread hears that it was sent.
      else if (!socket.destroyed)
        await new Promise<void>((resolve) => {
          socket.setTimeout(timeout ?? 0);
          response.once('close', resolve);
          response.end();
        });
      return how;
    },
    setRate: (perSecond) => tell({ kind: 'rate', perSecond }),
    stop: async () => {
      tell({ kind: 'stop' });
      if (state === 'usable') state = 'stopping';
      await exited;
    },
  };
}

function startThread(workerData: ThreadData): Worker {
  const url = new URL('sendfile-thread.ts', import.meta.url);
  return new Worker(url, { name: 'sendfile', workerData, transferList: [workerData.port] });
}

/** Resolves when the answer's turn on its connection has come and its head is with the kernel; with false if it never is. */
function headSent(response: ServerResponse, socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve(false);
    const gone = (): void => resolve(false);
    socket.once('close', gone);
    // Behind the head, and empty. Node keeps both back while an earlier answer of the connection is on its way.
    response.write('', () => {
      socket.off('close', gone);
      resolve(!socket.destroyed);
    });
  });
}
