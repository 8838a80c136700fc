import type { AdmissionRefusal } from '../admission/admission.ts';
import { wordsOf } from '../error-words.ts';
import type { GiveComponents, Receiver } from './give-once.ts';
import { sendError, sendJson } from './reply.ts';
import type { Request } from './request.ts';

export interface GiveBySourceComponents extends GiveComponents {
  /** Who leased this address here. */
  readonly macOf: (address: string) => string | undefined;
}

/**
 * Answers with what `make` makes to a machine that shows no nonce: to an address that this server leased, and only for as
 * long after its request for a boot as it might fetch a script. Whoever takes such an address over within that time gets
 * the answer too, and as often as they like.
 */
export async function giveBySource(
  request: Request,
  components: GiveBySourceComponents,
  make: (receiver: Receiver) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const { log, metrics, gate, macOf } = components;
  const { source } = request;
  const mac = source === undefined ? undefined : macOf(source);
  const refuse = (reason: AdmissionRefusal): void => {
    metrics.drop('http', reason);
    metrics.stage('config.refused');
    log.warn({ event: 'config.refused', reason, mac, source }, 'refused a machine configuration without a nonce');
    sendError(
      request,
      403,
      reason.replaceAll('-', '_'),
      'without a nonce only a machine that has just asked for a boot here gets this, from the address that it leased here',
    );
  };
  if (source === undefined || mac === undefined) return refuse('wrong-source');
  const admission = gate.admitScript(mac, undefined, source);
  if (!admission.ok) return refuse(admission.reason);
  const { uuid = '' } = admission;
  try {
    const made = await make({ uuid, mac, source });
    metrics.stage('config.given');
    log.info({ event: 'config.given', mac, uuid, withoutNonce: true }, 'gave a machine its configuration');
    sendJson(request, 200, made);
  } catch (error) {
    metrics.drop('http', 'api-away');
    log.error({ event: 'config.unavailable', mac, uuid, err: error }, 'cannot make a machine configuration now');
    const message = wordsOf(error);
    sendError(request, 503, 'api_away', message, { 'retry-after': '5' });
  }
}
