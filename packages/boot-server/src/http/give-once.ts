import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission/admission.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootMetrics } from '../metrics.ts';
import type { NonceStore } from '../store/nonces.ts';
import type { Peers } from './peers.ts';
import { sendError, sendJson } from './reply.ts';
import type { Request } from './request.ts';

export interface GiveComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly gate: AdmissionGate;
  readonly nonces: NonceStore;
  readonly peers: Peers;
  /** Nonces that are being used at this moment. */
  readonly inUse: Set<string>;
}

/** Whom a configuration is for. */
export interface Receiver {
  readonly uuid: string;
  readonly mac: string;
  /** Address that it asks from. */
  readonly source: string;
}

const RETRY_AFTER = { 'retry-after': '5' };

/**
 * Answers with what `make` makes, once per nonce. The nonce is used up only when the answer is ready and the machine
 * still there to take it; from then on it opens nothing. `wanted` is the UUID of the question, if that has one.
 */
export async function giveOnce(
  request: Request,
  components: GiveComponents,
  wanted: string | undefined,
  make: (receiver: Receiver) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const { log, metrics, gate, nonces, peers, inUse } = components;
  const nonce = request.query.get('nonce') ?? '';
  const check = nonces.check(nonce, wanted);
  const who = check.ok ? { uuid: check.uuid, mac: check.mac } : { uuid: wanted, mac: undefined };
  const refuse = (reason: string): void => {
    metrics.drop('http', reason);
    metrics.stage('config.refused');
    log.warn({ event: 'config.refused', reason, ...who }, 'refused a machine configuration');
    sendError(
      request,
      403,
      reason.replaceAll('-', '_'),
      'this boot may not read the configuration: boot the machine again to get a new nonce',
    );
  };
  if (!check.ok) return refuse(check.reason);
  const { source } = request;
  if (source === undefined) return refuse('wrong-source');
  const admission = gate.admitConfig(check.mac, check.uuid, source);
  if (!admission.ok) return refuse(admission.reason);

  const later = (reason: string, error: unknown): void => {
    metrics.drop('http', reason);
    log.error({ event: 'config.unavailable', reason, ...who, err: error }, 'cannot make a machine configuration now');
    const message = wordsOf(error);
    sendError(request, 503, reason.replaceAll('-', '_'), message, RETRY_AFTER);
  };
  if (inUse.has(nonce)) return later('nonce-in-use', new Error('the same nonce is being answered at this moment'));
  inUse.add(nonce);
  try {
    const made = await make({ uuid: check.uuid, mac: check.mac, source });
    if (request.response.destroyed) {
      metrics.drop('http', 'aborted');
      log.warn(
        { event: 'http.aborted', ...who, kind: 'config' },
        'the machine left before its configuration was ready; its nonce is still good',
      );
      return;
    }
    if (!nonces.consume(nonce) || !(await peers.announce(nonces.fingerprint(nonce)))) return refuse('nonce-used');
    metrics.stage('config.given');
    log.info({ event: 'config.given', ...who }, 'gave a machine its configuration');
    sendJson(request, 200, made);
  } catch (error) {
    later(
      error instanceof BootServerError && error.code === BootServerErrorCode.ApiRefused ? 'api-refused' : 'api-away',
      error,
    );
  } finally {
    inUse.delete(nonce);
  }
}
