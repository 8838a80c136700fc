import { Worker } from 'node:worker_threads';
import type { Libc } from './libc.ts';
import { createPoller } from './poller.ts';
import { WakeupWord, type WakeupSetUp } from './wakeup-words.ts';

/** Tells the main thread of descriptors that Node has no event for, such as packet sockets: a thread waits for them. */
export interface Wakeups {
  /**
   * Calls `read` when something has come, and again in each turn of the event loop until it returns false: nothing came
   * since the turn before. Under load the thread sleeps, and many datagrams are read at once. Call the result before the
   * descriptor is closed.
   */
  watch(fd: number, read: () => boolean): () => void;
  stop(): Promise<void>;
}

/** `onDeath`: the thread ended by itself, and nothing is heard any more. Throws where the kernel refuses. */
export function startWakeups(libc: Libc, onDeath: (error: Error) => void): Wakeups {
  const poller = createPoller(libc);
  const words = new SharedArrayBuffer(Object.keys(WakeupWord).length * Int32Array.BYTES_PER_ELEMENT);
  const control = new Int32Array(words);
  const setUp: WakeupSetUp = { fd: poller.fd, words };
  const worker = new Worker(new URL('wakeup-thread.ts', import.meta.url), { workerData: setUp, name: 'wakeups' });
  const readers = new Map<number, () => boolean>();
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  let nextId = 0;
  let isStopped = false;
  let failure = new Error('the thread that waits for packets ended');
  let ready: number[] = [];

  const release = (): void => {
    Atomics.store(control, WakeupWord.AT_WORK, 0);
    Atomics.notify(control, WakeupWord.AT_WORK);
  };
  const turn = (): void => {
    ready = isStopped ? [] : ready.filter((id) => readers.get(id)?.() === true);
    if (ready.length > 0) setImmediate(turn);
    else release();
  };
  worker.on('message', (ids: readonly number[]) => {
    ready = [...ids];
    turn();
  });
  worker.on('error', (error: Error) => {
    failure = error;
  });
  worker.on('exit', () => {
    resolve();
    if (!isStopped) onDeath(failure);
  });
  return {
    watch: (fd, read) => {
      const id = nextId;
      nextId += 1;
      readers.set(id, read);
      poller.add(fd, id, 'readable');
      return () => {
        if (readers.delete(id)) poller.remove(fd);
      };
    },
    stop: async () => {
      if (isStopped) return exited;
      isStopped = true;
      readers.clear();
      Atomics.store(control, WakeupWord.STOP, 1);
      release();
      await exited;
      poller.close();
    },
  };
}
