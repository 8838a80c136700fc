import { Dhcp6Status, type Mac } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootDecision } from '../decide/decision.ts';
import type { SightingStore } from '../store/sightings.ts';
import type { Lease6Engine } from './lease-engine.ts';
import type { Dhcp6DropReason, Dhcp6Outcome } from './outcome.ts';
import type { Dhcp6Plan } from './plan.ts';
import { encodeReply6, type Dhcp6Draft } from './reply.ts';
import type { Dhcp6Request } from './request.ts';
import type { Subnet6 } from './subnets.ts';

export interface Dhcp6ResponderComponents {
  readonly plan: Dhcp6Plan;
  readonly serverDuid: Uint8Array;
  readonly leases: Lease6Engine;
  readonly sightings: Pick<SightingStore, 'saw' | 'sawBeside'>;
  /** Whether one more answer may go to this client. */
  readonly mayAnswer: (client: string) => boolean;
  /** NICs of those who were told what to boot beside another server, by DUID: on port 4011 they do not show them. */
  readonly advertised: Map<string, Mac>;
}

/** A request, the network that it is of, and what is needed to answer it. */
export interface Exchange extends Dhcp6ResponderComponents {
  readonly request: Dhcp6Request;
  readonly subnet: Subnet6;
  readonly target: Endpoint;
  /** '' in an INFORMATION-REQUEST without one, which leases nothing. */
  readonly duid: string;
}

export const NOTHING_TO_BOOT: BootDecision = { kind: 'ignore', reason: 'not-booting' };

/** Encodes the draft. `told`: what became of the exchange, for the log, where its associations do not say. */
export function send(
  exchange: Dhcp6ResponderComponents & Pick<Exchange, 'request' | 'target'> & { readonly subnet: Subnet6 | undefined },
  draft: Omit<Dhcp6Draft, 'serverDuid'>,
  told: Partial<Pick<Extract<Dhcp6Outcome, { kind: 'reply' }>, 'reply' | 'addresses' | 'boot'>> = {},
): Dhcp6Outcome {
  const { request, subnet, target, serverDuid } = exchange;
  const data = encodeReply6(request, subnet, { ...draft, serverDuid });
  if (data === undefined)
    return drop(exchange, 'reply-too-large', 'configure fewer servers and domains, or a shorter URL');
  const associations = draft.associations ?? [];
  return {
    kind: 'reply',
    reply: told.reply ?? 'reply',
    data,
    target,
    request,
    addresses: told.addresses ?? associations.flatMap(({ address }) => address ?? []),
    boot: told.boot ?? NOTHING_TO_BOOT,
    isBeside: subnet !== undefined && subnet.mode !== 'server',
    isShort: associations.some(({ status }) => status?.code === Dhcp6Status.NO_ADDRS_AVAIL),
  };
}

export function drop({ request }: Pick<Exchange, 'request'>, reason: Dhcp6DropReason, detail: string): Dhcp6Outcome {
  return { kind: 'drop', reason, detail, request };
}
