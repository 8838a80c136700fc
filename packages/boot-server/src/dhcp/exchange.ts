import { ipv4OfNumber, MessageType, type Encoded, type Ipv4 } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootDecision } from '../decide/decision.ts';
import type { SightingStore } from '../store/sightings.ts';
import { bootQuestion } from './boot-question.ts';
import { mayUnicast, replyTarget } from './destination.ts';
import type { LeaseEngine } from './lease-engine.ts';
import type { DhcpDropReason, DhcpOutcome, DhcpQuestion } from './outcome.ts';
import type { DhcpRequest } from './request.ts';
import type { Subnet } from './subnets.ts';

/** A request, the network that it is of, and what is needed to answer it. */
export interface Exchange {
  readonly leases: LeaseEngine;
  readonly sightings: SightingStore;
  readonly request: DhcpRequest;
  readonly subnet: Subnet;
  readonly source: Endpoint;
  readonly serverAddress: Ipv4;
  /** Option 54 of the replies: RFC 5107 lets the relay put itself there. */
  readonly serverId: Ipv4;
}

/** The answer follows once it is decided what the machine boots. */
export function ask(exchange: Exchange, answer: (decision: BootDecision) => DhcpOutcome): DhcpQuestion {
  const { request, subnet } = exchange;
  return { kind: 'question', request, question: bootQuestion(request, subnet), answer };
}

/** `address`: the one that it gives, an unsigned 32-bit number. `boot`: what it says to load. */
export function reply(
  exchange: Exchange,
  kind: 'offer' | 'ack' | 'nak',
  encoded: Encoded<Uint8Array>,
  address: number | undefined,
  boot: BootDecision,
): DhcpOutcome {
  if (!encoded.ok) return drop(exchange, 'reply-too-large', encoded.reason);
  const { request, subnet, source } = exchange;
  const type = { offer: MessageType.OFFER, ack: MessageType.ACK, nak: MessageType.NAK }[kind];
  const given = address === undefined ? undefined : ipv4OfNumber(address);
  const target = replyTarget(request, type, subnet, source);
  return {
    kind: 'reply',
    reply: kind,
    data: encoded.value,
    target,
    ...(given !== undefined && mayUnicast(request, target) ? { unicast: given } : {}),
    request,
    address: given,
    boot,
  };
}

export function drop({ request }: Exchange, reason: DhcpDropReason, detail: string): DhcpOutcome {
  return { kind: 'drop', reason, detail, request };
}
