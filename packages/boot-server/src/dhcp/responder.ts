import {
  ipv4OfNumber,
  ipv4ToNumber,
  IPV4_ANY,
  MessageType,
  messageTypeName,
  type Encoded,
  type Ipv4,
} from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootDecision } from '../decide/decision.ts';
import { quirksOf } from '../decide/quirks.ts';
import { networkContains, type Ipv4Network } from '../ipv4.ts';
import type { SightingStore } from '../store/sightings.ts';
import { bootFields, type BootFields } from './boot-fields.ts';
import { bootQuestion, type BootQuestion } from './boot-question.ts';
import { mayUnicast, replyTarget } from './destination.ts';
import type { LeaseEngine, RequestKind } from './lease-engine.ts';
import { answerLeaseTime } from './lease-time.ts';
import { informReply, leaseReply, nakReply, proxyReply } from './reply.ts';
import { parseDhcpRequest, type DhcpRequest } from './request.ts';
import { findSubnet, type Subnet } from './subnets.ts';

/** What came of one datagram. */
export type DhcpOutcome =
  | {
      readonly kind: 'reply';
      readonly reply: 'offer' | 'ack' | 'nak';
      readonly data: Uint8Array;
      readonly target: Endpoint;
      /** Where `target` is the broadcast and one client could be reached: the address that it gets. */
      readonly unicast?: Ipv4;
      readonly request: DhcpRequest;
      /** The address given; undefined in an offer beside another server, and to an INFORM. */
      readonly address: Ipv4 | undefined;
      /** What the client was told to load. */
      readonly boot: BootDecision;
      /** Of an offer whose address somebody else may have: ask the network first. */
      readonly unproven?: UnprovenOffer;
    }
  /** An answer to a program on this host, which is no client. */
  | { readonly kind: 'told'; readonly what: 'lease-time'; readonly data: Uint8Array; readonly target: Endpoint }
  /** Understood, acted upon, and nothing to answer. */
  | { readonly kind: 'done'; readonly what: 'released' | 'declined' | 'withdrawn'; readonly request: DhcpRequest }
  | { readonly kind: 'drop'; readonly reason: DhcpDropReason; readonly detail: string; readonly request?: DhcpRequest };

export interface UnprovenOffer {
  readonly address: number;
  /** It is in use by others: nobody gets it for a while. False when the client has since got it for good. */
  setAside(): boolean;
  /** The answer with another address. */
  offerAnother(): DhcpOutcome;
}

/** A packet whose answer depends on what the machine is to boot. */
export interface DhcpQuestion {
  readonly kind: 'question';
  readonly request: DhcpRequest;
  readonly question: BootQuestion;
  /** The rest of the work, once that is decided. Leases addresses. */
  answer(decision: BootDecision): DhcpOutcome;
}

export type DhcpDropReason =
  | 'malformed'
  | 'not-a-request'
  | 'not-ethernet'
  | 'no-message-type'
  | 'unknown-network'
  | 'unknown-relay'
  | 'unserved-type'
  | 'not-booting'
  | 'unknown-architecture'
  | 'no-binary'
  | 'not-ours'
  | 'needs-pxe'
  | 'pool-exhausted'
  | 'unknown-lease'
  | 'not-its-address'
  | 'another-server'
  | 'reply-too-large'
  | 'no-reservation'
  | 'addresses-in-use'
  | 'undecided'
  | 'overloaded'
  | 'superseded';

export interface DhcpResponderComponents {
  readonly subnets: readonly Subnet[];
  /** Networks of relays whose giaddr is in none of the subnets (link selection). */
  readonly relays: readonly Ipv4Network[];
  readonly leases: LeaseEngine;
  readonly sightings: SightingStore;
}

/** Answers datagrams on port 67; no socket, no clock. `receivedAt` is the own address on the link of a broadcast. */
export type DhcpResponder = (data: Uint8Array, source: Endpoint, receivedAt: Ipv4) => DhcpOutcome | DhcpQuestion;

export function createDhcpResponder(components: DhcpResponderComponents): DhcpResponder {
  const { leases, sightings } = components;
  return (data, source, receivedAt) => {
    const parsed = parseDhcpRequest(data);
    if (!parsed.ok) {
      const told = answerLeaseTime(data, source, { leases, serverId: receivedAt });
      if (told !== undefined) return { kind: 'told', what: 'lease-time', data: told, target: source };
      return { kind: 'drop', reason: parsed.reason, detail: parsed.detail };
    }
    const request = parsed.value;
    const subnet = chooseSubnet(request, receivedAt, components);
    if (typeof subnet === 'string') {
      const { giaddr, ciaddr } = request.packet;
      return {
        kind: 'drop',
        reason: subnet,
        request,
        detail: `no subnet for giaddr ${giaddr}, ciaddr ${ciaddr}, link ${request.linkSelection ?? receivedAt}`,
      };
    }
    const exchange: Exchange = {
      leases,
      sightings,
      request,
      subnet,
      source,
      serverAddress: subnet.serverAddress,
      serverId: request.relay?.serverIdOverride ?? subnet.serverAddress,
    };
    switch (subnet.mode) {
      case 'proxy':
        return answerBeside(exchange);
      case 'server':
        return answerAlone(exchange);
      case 'reservation-only':
        if (subnet.reservations.has(request.mac)) return answerAlone(exchange);
        return drop(exchange, 'no-reservation', `${request.mac} has no reservation in ${subnet.id}`);
      default:
        return subnet.mode satisfies never;
    }
  };
}

interface Exchange extends Pick<DhcpResponderComponents, 'leases' | 'sightings'> {
  readonly request: DhcpRequest;
  readonly subnet: Subnet;
  readonly source: Endpoint;
  readonly serverAddress: Ipv4;
  /** Option 54 of the replies: RFC 5107 lets the relay put itself there. */
  readonly serverId: Ipv4;
}

/**
 * The network that the client is in. A reply goes to giaddr, so that must be an address that somebody configured: a
 * forged one would turn the server on its owner.
 */
function chooseSubnet(
  request: DhcpRequest,
  receivedAt: Ipv4,
  components: DhcpResponderComponents,
): Subnet | 'unknown-relay' | 'unknown-network' {
  const { giaddr, ciaddr } = request.packet;
  const { subnets, relays } = components;
  if (giaddr !== IPV4_ANY) {
    const relay = ipv4ToNumber(giaddr);
    const own = findSubnet(subnets, relay);
    if (own === undefined && !relays.some((network) => networkContains(network, relay))) return 'unknown-relay';
    if (request.linkSelection === undefined) return own ?? 'unknown-network';
    return findSubnet(subnets, ipv4ToNumber(request.linkSelection)) ?? 'unknown-network';
  }
  // A renewal comes by unicast through the routers, from any network.
  const from = ciaddr === IPV4_ANY ? receivedAt : ciaddr;
  return findSubnet(subnets, ipv4ToNumber(from)) ?? 'unknown-network';
}

/** Beside another DHCP server: an offer to those who want to boot, silence to everyone else. */
function answerBeside(exchange: Exchange): DhcpOutcome | DhcpQuestion {
  const { request, serverId } = exchange;
  if (request.type !== MessageType.DISCOVER)
    return drop(exchange, 'unserved-type', `${messageTypeName(request.type)} is the other server's`);
  return ask(exchange, (decision) => {
    const boot = bootFields(decision, 'proxy', exchange.serverAddress, quirksOf(request.boot));
    if (boot === undefined) return dropIgnored(exchange, decision);
    exchange.sightings.saw(request.mac, request.boot.uuid);
    return reply(exchange, 'offer', proxyReply(request, { serverId, boot }), undefined, decision);
  });
}

/** Alone in charge of the network. */
function answerAlone(exchange: Exchange): DhcpOutcome | DhcpQuestion {
  const { request, subnet, leases, serverId, serverAddress } = exchange;
  switch (request.type) {
    case MessageType.DISCOVER:
      return ask(exchange, (decision) => offer(exchange, decision));
    case MessageType.REQUEST:
      return acknowledge(exchange);
    case MessageType.INFORM:
      return ask(exchange, (decision) => {
        const boot = whatToBoot(exchange, decision);
        return reply(exchange, 'ack', informReply(request, { serverId, subnet, boot }), undefined, decision);
      });
    case MessageType.RELEASE: {
      if (!isMeant(exchange))
        return drop(exchange, 'another-server', `it is for ${request.serverId}, this is ${serverAddress}`);
      const address = ipv4ToNumber(request.packet.ciaddr);
      if (!leases.release(subnet, request.mac, address))
        return drop(exchange, 'not-its-address', `it releases ${request.packet.ciaddr}`);
      return { kind: 'done', what: 'released', request };
    }
    case MessageType.DECLINE: {
      if (!isMeant(exchange))
        return drop(exchange, 'another-server', `it is for ${request.serverId}, this is ${serverAddress}`);
      const address = ipv4ToNumber(request.wantedAddress ?? IPV4_ANY);
      if (!leases.decline(subnet, request.mac, address))
        return drop(exchange, 'not-its-address', `it declines ${request.wantedAddress}`);
      return { kind: 'done', what: 'declined', request };
    }
    default:
      return drop(exchange, 'unserved-type', messageTypeName(request.type));
  }
}

function offer(exchange: Exchange, decision: BootDecision): DhcpOutcome {
  const { request, subnet, leases, serverId } = exchange;
  const wanted = request.wantedAddress === undefined ? undefined : ipv4ToNumber(request.wantedAddress);
  const offered = leases.offer(subnet, { mac: request.mac, uuid: request.boot.uuid }, wanted);
  if (!offered.ok)
    return drop(
      exchange,
      offered.reason,
      `every address of ${subnet.id} is in use: widen its pool or shorten leaseSeconds`,
    );
  const { address } = offered;
  const boot = whatToBoot(exchange, decision);
  const outcome = reply(
    exchange,
    'offer',
    leaseReply(request, { type: MessageType.OFFER, serverId, subnet, address, boot }),
    address,
    decision,
  );
  const isUnproven = (): boolean => leases.isUnproven(subnet, request.mac, address);
  if (outcome.kind !== 'reply' || !isUnproven()) return outcome;
  return {
    ...outcome,
    unproven: {
      address,
      setAside: () => isUnproven() && leases.decline(subnet, request.mac, address),
      offerAnother: () => offer(exchange, decision),
    },
  };
}

function acknowledge(exchange: Exchange): DhcpOutcome | DhcpQuestion {
  const { request, subnet, leases } = exchange;
  if (request.serverId !== undefined && !isMeant(exchange)) {
    leases.withdraw(subnet, request.mac);
    return { kind: 'done', what: 'withdrawn', request };
  }
  const asked = readAskedAddress(request);
  if (asked === undefined) return drop(exchange, 'malformed', 'a REQUEST names its address in option 50 or in ciaddr');
  return ask(exchange, (decision) => confirm(exchange, asked, decision));
}

function confirm(
  exchange: Exchange,
  asked: { readonly address: number; readonly kind: RequestKind },
  decision: BootDecision,
): DhcpOutcome {
  const { request, subnet, leases, serverId } = exchange;
  const confirmed = leases.confirm(subnet, { mac: request.mac, uuid: request.boot.uuid }, asked.address, asked.kind);
  switch (confirmed.kind) {
    case 'silent':
      return drop(
        exchange,
        confirmed.reason,
        `${ipv4OfNumber(asked.address)} is unknown here, and may be another server's`,
      );
    case 'nak': {
      const message = `${ipv4OfNumber(asked.address)} is not yours in ${subnet.id}: ${confirmed.reason}`;
      return reply(exchange, 'nak', nakReply(request, { serverId, message }), undefined, NOTHING_TO_BOOT);
    }
    case 'ack': {
      const boot = whatToBoot(exchange, decision);
      const { address } = confirmed;
      return reply(
        exchange,
        'ack',
        leaseReply(request, { type: MessageType.ACK, serverId, subnet, address, boot }),
        address,
        decision,
      );
    }
    default:
      return confirmed satisfies never;
  }
}

function ask(exchange: Exchange, answer: (decision: BootDecision) => DhcpOutcome): DhcpQuestion {
  const { request, subnet } = exchange;
  return { kind: 'question', request, question: bootQuestion(request, subnet), answer };
}

const NOTHING_TO_BOOT: BootDecision = { kind: 'ignore', reason: 'not-booting' };

/** RFC 2131 §4.3.2, table 4: which state a REQUEST comes from shows in where it has its address. */
function readAskedAddress(request: DhcpRequest): { address: number; kind: RequestKind } | undefined {
  const { ciaddr } = request.packet;
  const { wantedAddress, serverId } = request;
  if (serverId !== undefined) {
    const address = wantedAddress ?? ciaddr;
    return address === IPV4_ANY ? undefined : { address: ipv4ToNumber(address), kind: 'selecting' };
  }
  if (ciaddr !== IPV4_ANY) return { address: ipv4ToNumber(ciaddr), kind: 'renewing' };
  return wantedAddress === undefined ? undefined : { address: ipv4ToNumber(wantedAddress), kind: 'init-reboot' };
}

function isMeant({ request, serverId, serverAddress }: Exchange): boolean {
  return request.serverId === undefined || request.serverId === serverId || request.serverId === serverAddress;
}

function whatToBoot(exchange: Exchange, decision: BootDecision): BootFields | undefined {
  const { request, sightings } = exchange;
  if (decision.kind !== 'ignore') sightings.saw(request.mac, request.boot.uuid);
  return bootFields(decision, 'lease', exchange.serverAddress);
}

function reply(
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

function drop({ request }: Exchange, reason: DhcpDropReason, detail: string): DhcpOutcome {
  return { kind: 'drop', reason, detail, request };
}

function dropIgnored(exchange: Exchange, decision: BootDecision): DhcpOutcome {
  const reason = decision.kind === 'ignore' ? decision.reason : 'not-booting';
  const detail = {
    'not-booting': 'it asks for an address only',
    'unknown-architecture': `architecture ${exchange.request.boot.architectures.join(', ')} has no iPXE`,
    'no-binary': `no iPXE is configured for architecture ${exchange.request.boot.architectures.join(', ')}: see ipxe.files`,
    'not-ours': 'no source boots it',
    'needs-pxe': 'its boot loader cannot go on after UEFI HTTP boot: the firmware’s PXE entry is next',
  }[reason];
  return drop(exchange, reason, detail);
}
