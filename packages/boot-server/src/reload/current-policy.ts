import type { AdmissionGate } from '../admission/admission.ts';
import type { BootDecider } from '../decide/boot-decider.ts';
import type { BootIssuer } from '../decide/boot-issuer.ts';
import type { BootDecision } from '../decide/decision.ts';
import type { DhcpOutcome } from '../dhcp/outcome.ts';
import type { DhcpResponder } from '../dhcp/responder.ts';
import type { Dhcp6Outcome, Dhcp6Question } from '../dhcpv6/outcome.ts';
import type { Dhcp6Responder } from '../dhcpv6/responder.ts';
import type { NetworkSettings } from '../http/config-route.ts';
import type { FileUrls } from '../http/file-urls.ts';
import type { Seals } from '../http/seals.ts';
import type { Policy } from '../policy.ts';
import type { PublishedContent } from '../published/published-content.ts';
import type { NonceStore } from '../store/nonces.ts';

/**
 * The policy that counts now, and its parts as services hold them: each call goes to the policy of that moment. A packet
 * whose boot was decided after a reload is answered by the new one: leases that the old one gave nobody would know of,
 * and the next machine would get the same addresses.
 */
export interface CurrentPolicy {
  now: Policy;
  readonly respond: DhcpResponder;
  readonly respond6: Dhcp6Responder;
  readonly decide: BootDecider;
  readonly issuer: BootIssuer;
  readonly gate: AdmissionGate;
  readonly nonces: NonceStore;
  readonly seals: Seals;
  readonly files: FileUrls;
  readonly published: PublishedContent;
  readonly network: NetworkSettings;
}

export function currentPolicy(first: Policy): CurrentPolicy {
  const current: CurrentPolicy = {
    now: first,
    respond: (data, source, receivedAt) => {
      const policy = current.now;
      const step = policy.respond(data, source, receivedAt);
      if (step.kind !== 'question') return step;
      const answer = (decision: BootDecision): DhcpOutcome => {
        if (current.now === policy) return ofPolicy(step.answer(decision), () => current.now === policy);
        const again = current.now.respond(data, source, receivedAt);
        return again.kind === 'question' ? again.answer(decision) : again;
      };
      return { ...step, answer };
    },
    respond6: (data, source, arrival) => {
      const policy = current.now;
      const ask = (): Dhcp6Outcome | Dhcp6Question => current.now.respond6?.(data, source, arrival) ?? NO_DHCP6;
      const step = ask();
      if (step.kind !== 'question') return step;
      const answer = (decision: BootDecision): Dhcp6Outcome => {
        if (current.now === policy) return step.answer(decision);
        const again = ask();
        return again.kind === 'question' ? again.answer(decision) : again;
      };
      return { ...step, answer };
    },
    decide: (request) => current.now.decisions.decide(request),
    issuer: {
      issue: (question) => current.now.decisions.issuer.issue(question),
      fileOf: (question) => current.now.decisions.issuer.fileOf(question),
    },
    gate: {
      admitScript: (mac, uuid, source) => current.now.gate.admitScript(mac, uuid, source),
      admitConfig: (mac, uuid, source) => current.now.gate.admitConfig(mac, uuid, source),
    },
    nonces: {
      issue: (mac, uuid) => current.now.nonces.issue(mac, uuid),
      check: (nonce, uuid) => current.now.nonces.check(nonce, uuid),
      consume: (nonce) => current.now.nonces.consume(nonce),
      isUsed: (fingerprint) => current.now.nonces.isUsed(fingerprint),
      fingerprint: (nonce) => current.now.nonces.fingerprint(nonce),
      consumeFingerprint: (fingerprint) => current.now.nonces.consumeFingerprint(fingerprint),
    },
    seals: {
      seal: (purpose, payload, lifetimeMs) => current.now.seals.seal(purpose, payload, lifetimeMs),
      open: (purpose, text) => current.now.seals.open(purpose, text),
    },
    files: {
      nameOf: (file, holder) => current.now.files.nameOf(file, holder),
      open: (name, holder) => current.now.files.open(name, holder),
    },
    published: { open: (name, client) => current.now.published.open(name, client) },
    network: (address) => current.now.network(address),
  };
  return current;
}

const NO_DHCP6: Dhcp6Outcome = {
  kind: 'drop',
  reason: 'unknown-network',
  detail: 'DHCPv6 is not configured any more',
};

/** An offer whose address the network is asked for meanwhile: what has become of it, only its own policy knows. */
function ofPolicy(outcome: DhcpOutcome, isCurrent: () => boolean): DhcpOutcome {
  if (outcome.kind !== 'reply' || outcome.unproven === undefined) return outcome;
  const { unproven } = outcome;
  return { ...outcome, unproven: { ...unproven, setAside: () => isCurrent() && unproven.setAside() } };
}
