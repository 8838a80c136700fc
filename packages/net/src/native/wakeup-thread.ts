import { parentPort, workerData } from 'node:worker_threads';
import { openLibc } from './libc.ts';
import { createPoller } from './poller.ts';
import { WakeupWord, type WakeupSetUp } from './wakeup-words.ts';

/** How long a stop may take: epoll_wait(2) cannot be interrupted from outside. */
const WAIT_MS = 200;

// The other end is startWakeups.
// oxlint-disable-next-line no-unsafe-type-assertion -- our own set-up
const { fd, words } = workerData as WakeupSetUp;
const control = new Int32Array(words);
const poller = createPoller(openLibc(), fd);
while (Atomics.load(control, WakeupWord.STOP) === 0) {
  const ids = poller.wait(WAIT_MS);
  if (ids.length === 0) continue;
  Atomics.store(control, WakeupWord.AT_WORK, 1);
  // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(ids);
  // While the main thread reads there is nothing to wake it for; an edge is kept in the set meanwhile.
  Atomics.wait(control, WakeupWord.AT_WORK, 1);
}
