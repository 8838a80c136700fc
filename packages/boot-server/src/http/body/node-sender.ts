import type { ServerResponse } from 'node:http';
import type { Clock } from '@ingot/net';
import { ClientRates } from './client-rates.ts';
import type { Body, BodyEnd, BodyLimits, BodySender } from './sender.ts';

/** Large enough to keep the calls few, small enough that a slow client holds little memory. */
const SLICE_BYTES = 1_048_576;

/** Sends through Node's own streams: everywhere, and the only way for TLS. */
export function nodeSender(clock: Clock, limits: BodyLimits): BodySender {
  const rates = new ClientRates(limits.maxBytesPerSecondPerClient);
  return {
    kind: 'node',
    send: (body) => sendBody(body, clock, rates),
    setRate: (perSecond) => rates.set(perSecond),
    stop: () => Promise.resolve(),
  };
}

async function sendBody(body: Body, clock: Clock, rates: ClientRates): Promise<BodyEnd> {
  const { response, artifact, client } = body;
  let isIdle = false;
  // Node's own timer sees the bytes that go this way; the server's handler leaves a destroyed socket alone.
  response.once('timeout', () => {
    isIdle = true;
    response.destroy();
  });
  const closed = closeOf(response);
  const bucket = rates.enter(client, clock.monotonic());
  try {
    let left = body.length;
    while (left > 0 && !response.destroyed) {
      const wanted = Math.min(left, SLICE_BYTES);
      const granted = bucket?.available(wanted, clock.monotonic()) ?? wanted;
      if (granted === 0) {
        await Promise.race([closed, pause(clock, bucket?.waitMs(wanted, clock.monotonic()) ?? 0)]);
        continue;
      }
      const slice = artifact.read(body.position + body.length - left, granted);
      if (slice.byteLength !== granted) throw new Error(`${artifact.uri} is shorter than it was`);
      bucket?.take(granted);
      left -= granted;
      if (!response.write(slice) && left > 0) await Promise.race([closed, drainOf(response)]);
    }
    if (!response.destroyed) response.end();
    await closed;
    if (response.writableFinished) return { kind: 'done' };
    return { kind: isIdle ? 'idle' : 'gone' };
  } catch (error) {
    response.destroy();
    return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
  } finally {
    rates.leave(client, bucket);
  }
}

function closeOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) resolve();
    else response.once('close', resolve);
  });
}

function drainOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
  });
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
