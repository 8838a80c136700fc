import { parentPort, workerData } from 'node:worker_threads';
import { createPoller, loadLibc, packetReader } from '@ingot/net';
import { CaptureWord, MAX_CAPTURED, type CaptureSetUp } from './capture-messages.ts';

/** How long a stop may take. */
const WAIT_MS = 200;

// The other end is startCapture.
// oxlint-disable-next-line no-unsafe-type-assertion -- our own set-up
const { fds, words } = workerData as CaptureSetUp;
const libc = await loadLibc();
if (libc === undefined || parentPort === null) throw new Error('the capture thread has no libc');
const control = new Int32Array(words);
const read = packetReader(libc);
const poller = createPoller(libc);
for (const [index, fd] of fds.entries()) poller.add(fd, index, 'readable');
const isStopped = (): boolean => Atomics.load(control, CaptureWord.STOP) !== 0;
while (!isStopped()) {
  for (const index of poller.wait(WAIT_MS)) {
    const fd = fds[index];
    if (fd === undefined) continue;
    while (!isStopped()) {
      const packets = read(fd);
      if (packets.length === 0) break;
      if (Atomics.load(control, CaptureWord.UNDER_WAY) >= MAX_CAPTURED) {
        Atomics.add(control, CaptureWord.LOST, packets.length);
        continue;
      }
      Atomics.add(control, CaptureWord.UNDER_WAY, packets.length);
      // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
      parentPort.postMessage({ index, packets });
    }
  }
}
poller.close();
