// The thread of the native engine: `engine.ts` starts it.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadLibc, systemClock } from '@ingot/net';
import { runLoop } from './loop.ts';
import type { Order, WorkerSetUp } from './messages.ts';

const port = parentPort;
const libc = await loadLibc();
if (port === null || libc === undefined) throw new Error('this is a thread of the boot server, and needs libc');
// What `engine.ts` gives; both are one program.
const { wakeFd, orders }: WorkerSetUp = workerData;
const ordered = new Int32Array(orders);
let taken = 0;

const NONE: readonly Order[] = [];

runLoop({
  libc,
  clock: systemClock,
  wakeFd,
  orders: () => {
    const count = Atomics.load(ordered, 0);
    if (count === taken) return NONE;
    taken = count;
    const list: Order[] = [];
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const order: Order = next.message;
      list.push(order);
    }
    return list;
  },
  tell: (news) => port.postMessage(news),
});
port.close();
