import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootOffer, BootPlanner } from './boot-planner.ts';
import type { BootSubject, MaybePromise } from './boot-plan.ts';
import { identifyClient, type BootRequest } from './client.ts';
import { decideBoot, type BootDecision, type DecisionConfig } from './decision.ts';
import type { LoaderFetches } from './loader-fetches.ts';
import type { SubjectMemory } from './subject-memory.ts';

/** A boot request, and from where it came. */
export type PlacedRequest = BootRequest & Pick<BootSubject, 'circuitId' | 'remoteId' | 'subnet'>;

/**
 * What the client is told to load. Not a promise when nobody has to be asked, and never thrown; rejects with
 * BootServerError API_AWAY when a source that has to be asked cannot be.
 */
export type BootDecider = (request: PlacedRequest) => MaybePromise<BootDecision>;

export interface BootDeciderComponents {
  readonly planner: BootPlanner;
  readonly decision: DecisionConfig;
  readonly subjects: SubjectMemory;
  readonly fetches: LoaderFetches;
  /** Whether an iPXE in a ROM is given our own binary before the script. */
  readonly chainRoms: boolean;
  readonly log: Logger;
}

export function createBootDecider(components: BootDeciderComponents): BootDecider {
  const { planner, decision, subjects, fetches, chainRoms, log } = components;
  return (request) => {
    // Most DHCP is of operating systems: no source is bothered with that.
    if (identifyClient(request).kind === 'not-booting') return { kind: 'ignore', reason: 'not-booting' };
    const { mac, architectures } = request;
    const before = subjects.find(mac);
    // A renewal and a question to port 4011 pass no relay, and some firmware shows its UUID in some packets only.
    const uuid = request.uuid ?? before?.uuid;
    const subject: BootSubject = {
      mac,
      uuid,
      serial: undefined,
      circuitId: request.circuitId ?? before?.circuitId,
      remoteId: request.remoteId ?? before?.remoteId,
      architectures,
      hostname: request.hostname ?? before?.hostname,
      subnet: request.subnet ?? before?.subnet,
    };
    subjects.note(subject);
    const decide = (offer: BootOffer): BootDecision => {
      if (offer.kind === 'ignore') {
        log.debug({ event: 'boot.ignored', mac, uuid, detail: offer.message }, `no boot for ${mac}: ${offer.message}`);
        return { kind: 'ignore', reason: 'not-ours' };
      }
      // What has just loaded our binary is that binary: it would load itself for ever.
      const chain = chainRoms && !fetches.isRecent(mac);
      return decideBoot(request, decision, { loader: offer.loader, chain });
    };
    const refused = (error: unknown): BootDecision => {
      if (!(error instanceof BootServerError) || error.code !== BootServerErrorCode.ApiRefused) throw error;
      log.warn({ event: 'boot.refused', mac, uuid, err: error }, `no boot for ${mac}: ${error.message}`);
      return { kind: 'ignore', reason: 'not-ours' };
    };
    try {
      const offer = planner.offer(subject);
      return offer instanceof Promise ? offer.then(decide, refused) : decide(offer);
    } catch (error) {
      return Promise.reject(error).catch(refused);
    }
  };
}
