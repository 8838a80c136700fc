// Entry of the thread that sends files; started by sendfile-sender.ts.
import { performance } from 'node:perf_hooks';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadLibc } from '@ingot/net';
import { SendfileLoop } from './sendfile-loop.ts';
import type { FromThread, ThreadData, ToThread } from './sendfile-messages.ts';

/** A thread within a system call cannot be ended: this is how long the process may have to wait for it. */
const LONGEST_WAIT_MS = 250;

const { port, wake, limits }: ThreadData = workerData;
const libc = await loadLibc();
if (libc === undefined) throw new Error('libc was there a moment ago');
const loop = new SendfileLoop({
  libc,
  wake,
  limits,
  now: () => performance.now(),
  onEnd: (id, kind) => port.postMessage({ id, kind } satisfies FromThread),
});

function obey(message: ToThread): void {
  switch (message.kind) {
    case 'send':
      return loop.add(message.job);
    case 'cancel':
      return loop.cancel(message.id);
    case 'rate':
      return loop.setRate(message.perSecond);
    case 'stop':
      loop.close();
      port.close();
      return;
    default:
      return message satisfies never;
  }
}

// While there is nothing to send, this is an ordinary thread that waits for a message.
port.on('message', (message: ToThread) => {
  obey(message);
  while (loop.size > 0) {
    loop.turn(LONGEST_WAIT_MS);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      obey(next.message);
    }
  }
});
