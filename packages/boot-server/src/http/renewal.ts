import type { AdmissionRefusal } from '../admission/admission.ts';
import { wordsOf } from '../error-words.ts';
import type { NonceStore } from '../store/nonces.ts';
import { sendError, sendJson } from './reply.ts';
import type { Request } from './request.ts';
import type { ConfigRouteComponents } from './config-route.ts';
import type { Receiver } from './give-once.ts';
import type { Seals } from './seals.ts';

/** Why a renewal does not open a configuration. */
export type RenewalRefusal = 'renewal-tampered' | 'renewal-expired' | 'renewal-replaced' | 'renewal-of-another-machine';

/** As long as a machine's token: who let that end has to boot again. Stores note for longer which are used. */
const LIFETIME_MS = 72 * 60 * 60_000;
const MAC_TEXT = 17;
const UUID_TEXT = 36;

/**
 * The query by which a machine that has its configuration gets the next one. It opens until the one that came with that
 * next configuration is used: an answer that was lost on the way can be asked for again, and a copy of an older question
 * opens nothing.
 */
export function renewalQuery(
  { seals, nonces }: { readonly seals: Seals; readonly nonces: Pick<NonceStore, 'fingerprint'> },
  machine: { readonly mac: string; readonly uuid: string },
  before: string,
): string {
  const payload = Buffer.concat([Buffer.from(machine.mac + machine.uuid), nonces.fingerprint(before)]);
  return `renewal=${seals.seal('renewal', payload, LIFETIME_MS)}`;
}

/** `/config/<uuid>?renewal=`: the machine's configuration again, with a new token. */
export async function serveRenewal(
  request: Request,
  components: ConfigRouteComponents,
  wanted: string,
  make: (receiver: Receiver) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const { log, metrics, gate, nonces, peers, seals } = components;
  const { source } = request;
  const text = request.query.get('renewal') ?? '';
  const refuse = (reason: RenewalRefusal | AdmissionRefusal): void => {
    metrics.drop('http', reason);
    log.warn({ event: 'config.refused', reason, uuid: wanted, source }, 'refused to renew a machine configuration');
    sendError(
      request,
      403,
      reason.replaceAll('-', '_'),
      'this machine may not renew its configuration: boot it again to get a new one',
    );
  };
  const opened = seals.open('renewal', text);
  if (!opened.ok) return refuse(opened.reason === 'expired' ? 'renewal-expired' : 'renewal-tampered');
  const { mac, uuid, before } = read(opened.payload);
  if (uuid !== wanted) return refuse('renewal-of-another-machine');
  if (source === undefined) return refuse('wrong-source');
  const admission = gate.admitConfig(mac, uuid, source);
  if (!admission.ok) return refuse(admission.reason);
  if (nonces.isUsed(nonces.fingerprint(text))) return refuse('renewal-replaced');
  let made: Readonly<Record<string, unknown>>;
  try {
    made = await make({ mac, uuid, source });
  } catch (error) {
    metrics.drop('http', 'api-away');
    log.error({ event: 'config.unavailable', mac, uuid, err: error }, 'cannot renew a machine configuration now');
    const message = wordsOf(error);
    return sendError(request, 503, 'api_away', message, { 'retry-after': '5' });
  }
  nonces.consumeFingerprint(before);
  // That it was used there is no wonder: this is asked for again when its answer was lost.
  await peers.announce(before);
  log.info({ event: 'config.renewed', mac, uuid }, 'renewed the configuration of a machine');
  return sendJson(request, 200, made);
}

function read(payload: Buffer): { mac: string; uuid: string; before: Buffer } {
  const text = payload.toString('latin1', 0, MAC_TEXT + UUID_TEXT);
  return { mac: text.slice(0, MAC_TEXT), uuid: text.slice(MAC_TEXT), before: payload.subarray(MAC_TEXT + UUID_TEXT) };
}
