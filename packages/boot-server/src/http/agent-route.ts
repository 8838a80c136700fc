import { createHash } from 'node:crypto';
import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission/admission.ts';
import type { DebugKeys } from '../debug-key/debug-keys.ts';
import type { BootMetrics } from '../metrics.ts';
import type { NonceStore } from '../store/nonces.ts';
import { sendText } from './reply.ts';
import type { Request } from './request.ts';
import type { Seals } from './seals.ts';

export interface AgentRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly gate: AdmissionGate;
  readonly seals: Seals;
  readonly nonces: Pick<NonceStore, 'consumeFingerprint'>;
  readonly debugKeys: Pick<DebugKeys, 'pinHost'>;
}

/** An agent reports as soon as it has read its configuration: seconds later, also where the network drops packets. */
const LIFETIME_MS = 10 * 60_000;
const MAC_TEXT = 17;

/** The path, with its token, at which one agent says once that it is up. */
export function reportPath(seals: Seals, machine: { readonly mac: string; readonly uuid: string }): string {
  return `/_/up?token=${seals.seal('up', Buffer.from(machine.mac + machine.uuid), LIFETIME_MS)}`;
}

/**
 * `/_/up?token=`: the agent has read its configuration and runs. Good once, from an address of its machine. With
 * `host_key=`, where the image lets in the debug key of its boot: what SSH shall know the machine by.
 */
export function serveAgentUp(request: Request, components: AgentRouteComponents): void {
  const { log, metrics, gate, seals, nonces, debugKeys } = components;
  const token = request.query.get('token') ?? '';
  const opened = seals.open('up', token);
  const text = opened.ok ? opened.payload.toString('latin1') : '';
  const who = opened.ok ? { mac: text.slice(0, MAC_TEXT), uuid: text.slice(MAC_TEXT) } : {};
  const refuse = (reason: string): void => {
    metrics.drop('http', reason);
    log.warn({ event: 'agent.refused', reason, source: request.source, ...who }, 'not a report of an agent');
    sendText(request, 403, 'this report does not count: the boot goes on without it\n');
  };
  if (!opened.ok) return opened.reason === 'expired' ? refuse('report-expired') : refuse('report-tampered');
  const { mac = '', uuid = '' } = who;
  if (request.source === undefined) return refuse('wrong-source');
  const admission = gate.admitConfig(mac, uuid, request.source);
  if (!admission.ok) return refuse(admission.reason);
  // A report that is overheard must not come again when the machine boots the next time.
  if (!nonces.consumeFingerprint(createHash('sha256').update(token).digest())) return refuse('report-used');
  const hostKey = request.query.get('host_key');
  if (hostKey !== null && !debugKeys.pinHost(mac, hostKey))
    log.warn(
      { event: 'debug.host-key-refused', ...who },
      'the host key that the agent tells is none, or its boot has no debug key',
    );
  metrics.stage('agent.up');
  log.info({ event: 'agent.up', ...who }, 'the agent is up');
  sendText(request, 200, 'noted\n');
}
