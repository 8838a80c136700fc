// The thread of the native engine: `engine.ts` starts it.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadLibc, systemClock } from '@ingot/net';
import { runLoop } from './loop.ts';
import { Counter, type Order, type WorkerSetUp } from './messages.ts';

const port = parentPort;
const libc = await loadLibc();
if (port === null || libc === undefined) throw new Error('this is a thread of the boot server, and needs libc');
// What `engine.ts` gives; both are one program.
const { wakeFd, counters: shared }: WorkerSetUp = workerData;
const counters = new Int32Array(shared);
let taken = 0;

const NONE: readonly Order[] = [];

runLoop({
  libc,
  clock: systemClock,
  wakeFd,
  orders: () => {
    const count = Atomics.load(counters, Counter.ORDERS);
    if (count === taken) return NONE;
    taken = count;
    const list: Order[] = [];
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const order: Order = next.message;
      list.push(order);
    }
    return list;
  },
  straysTaken: () => Atomics.load(counters, Counter.STRAYS),
  tell: (news) => port.postMessage(news),
});
port.close();
