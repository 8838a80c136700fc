import { ipv4OfNumber, MessageType, type Ipv4 } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootDecision } from '../decide/decision.ts';
import type { SightingStore } from '../store/sightings.ts';
import { bootQuestion } from './boot-question.ts';
import { mayUnicast, replyTarget } from './destination.ts';
import type { LeaseEngine } from './lease-engine.ts';
import type { DhcpDropReason, DhcpOutcome, DhcpQuestion, DhcpRemark } from './outcome.ts';
import type { Fitted } from './reply.ts';
import type { DhcpRequest } from './request.ts';
import type { Subnet } from './subnets.ts';

/** A request, the network that it is of, and what is needed to answer it. */
export interface Exchange {
  readonly leases: LeaseEngine;
  readonly sightings: SightingStore;
  readonly request: DhcpRequest;
  readonly subnet: Subnet;
  readonly source: Endpoint;
  /** What somebody has to mend, whatever the answer is. */
  readonly remarks: readonly DhcpRemark[];
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
  encoded: Fitted,
  address: number | undefined,
  boot: BootDecision,
): DhcpOutcome {
  if (!encoded.ok) return drop(exchange, 'reply-too-large', encoded.reason);
  const { request, subnet, source } = exchange;
  const leftOut = encoded.leftOut === undefined ? [] : [leftOutRemark(request, encoded.leftOut)];
  const remarks = [...exchange.remarks, ...leftOut];
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
    isBeside: subnet.mode === 'proxy',
    boot,
    ...(remarks.length === 0 ? {} : { remarks }),
  };
}

function leftOutRemark({ mac }: DhcpRequest, codes: readonly number[]): DhcpRemark {
  const isOne = codes.length === 1;
  const what = isOne ? `option ${codes[0]} does` : `options ${codes.join(', ')} do`;
  const words = `${what} not fit into what ${mac} accepts and ${isOne ? 'is' : 'are'} left out`;
  return { event: 'dhcp.options-left-out', words: `${words}: configure fewer routes, domains and options` };
}

export function drop({ request }: Exchange, reason: DhcpDropReason, detail: string): DhcpOutcome {
  return { kind: 'drop', reason, detail, request };
}
