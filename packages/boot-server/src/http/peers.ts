import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { fetchFailure } from '../error-words.ts';
import type { BootMetrics } from '../metrics.ts';
import type { NonceStore } from '../store/nonces.ts';
import { sendText } from './reply.ts';
import type { Request } from './request.ts';
import type { Seals } from './seals.ts';

/** The other boot servers of the rack, which take the same nonces. */
export interface Peers {
  /**
   * Tells all of them that what has this fingerprint is being used. False when one says that it was used there. Who does
   * not answer in time is left out: an unreachable peer must not keep the rack from booting.
   */
  announce(fingerprint: Uint8Array): Promise<boolean>;
}

/** The machine waits meanwhile. */
const ANSWER_MS = 500;
/** An announcement that was overheard is good for nothing anyway; this keeps it from being so for ever. */
const LIFETIME_MS = 60_000;

export function createPeers(components: {
  clock: Clock;
  log: Logger;
  metrics: BootMetrics;
  seals: Seals;
  /** Base URLs without a slash at the end. */
  urls: () => readonly string[];
}): Peers {
  const { clock, log, metrics, seals, urls } = components;
  const tell = async (url: string, token: string): Promise<boolean> => {
    const giveUp = new AbortController();
    const deadline = clock.setTimeout(() => giveUp.abort(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    try {
      const response = await fetch(`${url}/_/used?nonce=${token}`, { signal: giveUp.signal, redirect: 'error' });
      await response.body?.cancel();
      if (response.status === 409) return false;
      if (!response.ok) throw new Error(`it answers ${response.status}`);
    } catch (error) {
      metrics.drop('http', 'peer-away');
      log.warn({ event: 'peer.away', url, err: error }, `${url} was not told of a used nonce: ${fetchFailure(error)}`);
    } finally {
      deadline.cancel();
    }
    return true;
  };
  return {
    announce: async (fingerprint) => {
      const all = urls();
      if (all.length === 0) return true;
      const token = seals.seal('used', fingerprint, LIFETIME_MS);
      const answers = await Promise.all(all.map((url) => tell(url, token)));
      return answers.every((isFirst) => isFirst);
    },
  };
}

export interface UsedRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly seals: Seals;
  readonly nonces: NonceStore;
}

/** `/_/used?nonce=`: a peer says that it gives a configuration. 409 when this server gave it before. */
export function serveUsed(request: Request, { log, metrics, seals, nonces }: UsedRouteComponents): void {
  const opened = seals.open('used', request.query.get('nonce') ?? '');
  if (!opened.ok) {
    metrics.drop('http', 'not-a-peer');
    log.warn({ event: 'peer.refused', source: request.source, reason: opened.reason }, 'not told by a peer');
    return sendText(request, 403, 'not signed by a peer\n');
  }
  const isFirst = nonces.consumeFingerprint(opened.payload);
  return sendText(request, isFirst ? 200 : 409, isFirst ? 'noted\n' : 'used here before\n');
}
