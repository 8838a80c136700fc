import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { Clock, Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../../errors.ts';
import { threadDeaths } from '../../limits/thread-deaths.ts';
import { nodeSender } from './node-sender.ts';
import type { BodyLimits, BodySender } from './sender.ts';
import type { ThreadData } from './sendfile-messages.ts';
import { startSendfileSender, type SendfileSender } from './sendfile-sender.ts';

/** Which of the two ways large bodies go. */
export type HttpEngine = 'auto' | 'native' | 'node';

/** Below, the way to the other thread costs more than it saves. */
const SMALL_BODY_BYTES = 65_536;
/** One sends some gigabytes a second; a second one keeps its share of a busy host. */
const MAX_THREADS = 2;

/** The fast way for what it takes, Node's streams for the rest. Throws BootServerError CONFIG_INVALID. */
export function startBodySender(components: {
  clock: Clock;
  log: Logger;
  libc: Libc | undefined;
  engine: HttpEngine;
  limits: BodyLimits;
  /** For tests. */
  startThread?: (data: ThreadData) => Worker;
}): BodySender {
  const { clock, log, libc, engine, limits, startThread } = components;
  let current = limits;
  const plain = nodeSender(clock, limits);
  if (engine === 'node') return plain;
  if (libc === undefined) {
    if (engine === 'auto') return plain;
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      'http.engine: native needs Linux and a Node with node:ffi; write auto to do without where they are missing',
    );
  }
  const threads: (SendfileSender | undefined)[] = Array.from({ length: Math.min(MAX_THREADS, availableParallelism()) });
  const deaths = threadDeaths(clock);
  let isHopeless = false;
  const start = (index: number): SendfileSender =>
    startSendfileSender({
      libc,
      limits: current,
      startThread,
      onDeath: (error, bodies) => {
        threads[index] = undefined;
        isHopeless = deaths.died() || isHopeless;
        log.error(
          { event: 'http.engine-failed', err: error, bodies, engine: isHopeless ? 'node' : 'native' },
          isHopeless
            ? 'the thread that sends large files died again; sending without it from now on'
            : 'the thread that sends large files died; the next file starts it again',
        );
      },
    });
  return {
    kind: 'native',
    send: (body) => {
      if (body.length <= SMALL_BODY_BYTES || isHopeless) return plain.send(body);
      // A client's connections share a thread, and with it a rate. It starts with the first body that needs it.
      const index = hashOf(body.client) % threads.length;
      const fast = (threads[index] ??= start(index));
      return fast.takes(body) ? fast.send(body) : plain.send(body);
    },
    setRate: (maxBytesPerSecondPerClient) => {
      current = { ...limits, maxBytesPerSecondPerClient };
      plain.setRate(maxBytesPerSecondPerClient);
      for (const thread of threads) thread?.setRate(maxBytesPerSecondPerClient);
    },
    stop: async () => {
      await Promise.all(threads.filter((thread) => thread !== undefined).map((thread) => thread.stop()));
    },
  };
}

function hashOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash;
}
