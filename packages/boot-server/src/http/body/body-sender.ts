import type { Clock, Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../../errors.ts';
import { nodeSender } from './node-sender.ts';
import type { BodyLimits, BodySender } from './sender.ts';
import { startSendfileSender, type SendfileSender } from './sendfile-sender.ts';

/** Which of the two ways large bodies go. */
export type HttpEngine = 'auto' | 'native' | 'node';

/** Below, the way to the other thread costs more than it saves. */
const SMALL_BODY_BYTES = 65_536;

/** The fast way for what it takes, Node's streams for the rest. Throws BootServerError CONFIG_INVALID. */
export function startBodySender(components: {
  clock: Clock;
  log: Logger;
  libc: Libc | undefined;
  engine: HttpEngine;
  limits: BodyLimits;
}): BodySender {
  const { clock, log, libc, engine, limits } = components;
  const plain = nodeSender(clock, limits);
  if (engine === 'node') return plain;
  if (libc === undefined) {
    if (engine === 'auto') return plain;
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      'http.engine: native needs Linux and a Node with node:ffi; write auto to do without where they are missing',
    );
  }
  let fast: SendfileSender | undefined;
  const start = (): SendfileSender =>
    startSendfileSender(libc, limits, (error) => {
      log.error({ event: 'http.engine', err: error }, 'the sending thread died: bodies go through Node from here on');
    });
  return {
    kind: 'native',
    send: (body) => {
      if (body.length <= SMALL_BODY_BYTES) return plain.send(body);
      // The thread starts with the first body that needs it.
      fast ??= start();
      return fast.takes(body) ? fast.send(body) : plain.send(body);
    },
    stop: async () => {
      await fast?.stop();
    },
  };
}
