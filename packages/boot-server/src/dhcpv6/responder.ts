import {
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  Dhcp6MessageType,
  dhcp6MessageTypeName,
  Dhcp6OptionCode,
  Dhcp6Status,
  equalBytes,
  findDhcp6Option,
  IPV6_ANY,
  isLinkLocal,
  parseIpv6,
  subnet6Contains,
  type Dhcp6Option,
  type Ipv6,
  type Mac,
} from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootRequest } from '../decide/client.ts';
import type { BootDecision } from '../decide/decision.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import type { SightingStore } from '../store/sightings.ts';
import { areOnLink, assignAll, extendAll, giveUpAll } from './associations.ts';
import { bootOptions6 } from './boot-options.ts';
import type { Lease6Engine } from './lease-engine.ts';
import type { Dhcp6Plan } from './plan.ts';
import {
  encodeReply6,
  networkOptions6,
  preferenceOption,
  RAPID_COMMIT_OPTION,
  type AnsweredAssociation,
  type Dhcp6Draft,
} from './reply.ts';
import { bootRequestOf, parseDhcp6Request, type Dhcp6Request } from './request.ts';
import { findSubnet6, type Subnet6 } from './subnets.ts';

/** How a datagram came: to the group on one of the own links, to an own address, or to its port 4011. */
export type Dhcp6Arrival =
  | { readonly kind: 'multicast'; readonly interfaceName: string }
  | { readonly kind: 'unicast' }
  | { readonly kind: 'boot-service' };

/** What came of one datagram. */
export type Dhcp6Outcome =
  | {
      readonly kind: 'reply';
      readonly reply: 'advertise' | 'reply' | 'released' | 'declined';
      readonly data: Uint8Array;
      readonly target: Endpoint;
      readonly request: Dhcp6Request;
      /** Given, or given back. */
      readonly addresses: readonly Ipv6[];
      readonly boot: BootDecision;
      /** An address was asked for that there is not. */
      readonly isShort: boolean;
    }
  | {
      readonly kind: 'drop';
      readonly reason: Dhcp6DropReason;
      readonly detail: string;
      readonly request?: Dhcp6Request;
    };

/** What to boot has to be known before there is an answer. */
export interface Dhcp6Question {
  readonly kind: 'question';
  readonly request: Dhcp6Request;
  readonly boot: BootRequest;
  readonly subnet: string;
  answer(decision: BootDecision): Dhcp6Outcome;
}

export type Dhcp6DropReason =
  | 'malformed'
  | 'not-a-request'
  | 'too-many-associations'
  | 'unknown-network'
  | 'unknown-relay'
  | 'unserved-type'
  | 'no-client-id'
  | 'unwanted-server-id'
  | 'another-server'
  | 'unicast'
  | 'not-booting'
  | 'unknown-lease'
  | 'no-addresses'
  | 'rate-limit'
  | 'undecided'
  | 'reply-too-large';

export interface Dhcp6ResponderComponents {
  readonly plan: Dhcp6Plan;
  readonly serverDuid: Uint8Array;
  readonly leases: Lease6Engine;
  readonly sightings: Pick<SightingStore, 'saw'>;
  /** Whether one more answer may go to this client. */
  readonly mayAnswer: (client: string) => boolean;
  /** NICs of those who were told what to boot beside another server, by DUID: on port 4011 they do not show them. */
  readonly advertised: Map<string, Mac>;
}

/** Machines between their SOLICIT and what they ask port 4011: seconds. */
const MAX_ADVERTISED = 4_096;

/** Answers datagrams on port 547; no socket, no clock. */
export type Dhcp6Responder = (
  data: Uint8Array,
  source: Endpoint,
  arrival: Dhcp6Arrival,
) => Dhcp6Outcome | Dhcp6Question;

const NOTHING_TO_BOOT: BootDecision = { kind: 'ignore', reason: 'not-booting' };

export function createDhcp6Responder(components: Dhcp6ResponderComponents): Dhcp6Responder {
  return (data, source, arrival) => {
    const parsed = parseDhcp6Request(data, source.address);
    if (!parsed.ok) return { kind: 'drop', reason: parsed.reason, detail: parsed.detail };
    const request = parsed.value;
    const refusal = refuse(request, components);
    if (refusal !== undefined) return { kind: 'drop', request, ...refusal };
    if (!components.mayAnswer(request.duid ?? request.peer)) {
      return { kind: 'drop', reason: 'rate-limit', detail: 'this client asks too often', request };
    }
    if (arrival.kind === 'boot-service') return answerBootService(request, source, components);
    const target = replyTarget(request, source);
    if (request.relays.length === 0 && arrival.kind === 'unicast') return answerUnicast(request, target, components);
    const subnet = chooseSubnet(request, source, arrival, components.plan);
    if (typeof subnet === 'string') {
      const link = request.relays.at(-1)?.linkAddress ?? 'its interface';
      return { kind: 'drop', reason: subnet, request, detail: `no network of dhcp6.subnets for ${link}` };
    }
    return answer({ ...components, request, subnet, target, duid: request.duid ?? '' });
  };
}

interface Exchange extends Dhcp6ResponderComponents {
  readonly request: Dhcp6Request;
  readonly subnet: Subnet6;
  readonly target: Endpoint;
  /** '' in an INFORMATION-REQUEST without one, which leases nothing. */
  readonly duid: string;
}

/** The rules of RFC 8415 §16 about identifiers: what breaks them is discarded. */
function refuse(
  { message, duid, serverId }: Dhcp6Request,
  { serverDuid }: Dhcp6ResponderComponents,
): { readonly reason: Dhcp6DropReason; readonly detail: string } | undefined {
  const { type } = message;
  const name = dhcp6MessageTypeName(type);
  const isOurs = serverId !== undefined && equalBytes(serverId, serverDuid);
  switch (type) {
    case Dhcp6MessageType.INFORMATION_REQUEST:
      return serverId === undefined || isOurs
        ? undefined
        : { reason: 'another-server', detail: 'it is for another server' };
    case Dhcp6MessageType.SOLICIT:
    case Dhcp6MessageType.CONFIRM:
    case Dhcp6MessageType.REBIND:
      if (duid === undefined) return { reason: 'no-client-id', detail: `${name} without a client identifier` };
      return serverId === undefined
        ? undefined
        : { reason: 'unwanted-server-id', detail: `${name} with a server identifier` };
    default:
      if (duid === undefined) return { reason: 'no-client-id', detail: `${name} without a client identifier` };
      return isOurs ? undefined : { reason: 'another-server', detail: `${name} is for another server` };
  }
}

/** Where a reply goes: back to the relay (RFC 8357: to the port that it asked from), or to the client's own port. */
function replyTarget({ relays }: Dhcp6Request, source: Endpoint): Endpoint {
  const [first] = relays;
  if (first === undefined) return { address: source.address, port: DHCP6_CLIENT_PORT };
  const usesSourcePort = findDhcp6Option(first.options, Dhcp6OptionCode.RELAY_PORT) !== undefined;
  return { address: source.address, port: usesSourcePort ? source.port : DHCP6_SERVER_PORT };
}

/** The network that the client is in: by the nearest relay that tells (RFC 8415 §13.1), else by the own interface. */
function chooseSubnet(
  { relays }: Dhcp6Request,
  source: Endpoint,
  arrival: Exclude<Dhcp6Arrival, { readonly kind: 'boot-service' }>,
  { subnets, relays: known }: Dhcp6Plan,
): Subnet6 | 'unknown-relay' | 'unknown-network' {
  if (relays.length > 0 && known.length > 0 && !isRelay(known, source)) return 'unknown-relay';
  const link = relays.findLast(({ linkAddress }) => linkAddress !== IPV6_ANY && !isLinkLocal(linkAddress))?.linkAddress;
  if (link !== undefined) return findSubnet6(subnets, link) ?? 'unknown-network';
  if (arrival.kind === 'unicast') return 'unknown-network';
  return subnets.find(({ interfaceName }) => interfaceName === arrival.interfaceName) ?? 'unknown-network';
}

/** A relay on an own link may use its link-local address; it was chosen by its interface. */
function isRelay(known: Dhcp6Plan['relays'], source: Endpoint): boolean {
  const address = parseIpv6(source.address.replace(/%.*$/, ''));
  if (!address.ok) return false;
  return isLinkLocal(address.value) || known.some((network) => subnet6Contains(network, address.value));
}

/**
 * EDK2 that leased elsewhere asks the boot server whose offer it saw once more: a REQUEST without an association, from
 * its new address to port 4011, where it wants the answer from.
 */
function answerBootService(
  request: Dhcp6Request,
  source: Endpoint,
  components: Dhcp6ResponderComponents,
): Dhcp6Outcome | Dhcp6Question {
  const { message, peer, relays, duid } = request;
  const subnet = findSubnet6(components.plan.subnets, peer);
  if (subnet?.mode !== 'boot-only')
    return drop({ request }, 'unknown-network', `${peer} is in no network of mode boot-only`);
  if (message.type !== Dhcp6MessageType.REQUEST || relays.length > 0 || duid === undefined)
    return drop({ request }, 'unserved-type', `${dhcp6MessageTypeName(message.type)} on port 4011`);
  const mac = request.mac ?? components.advertised.get(duid);
  if (mac === undefined) return drop({ request }, 'not-booting', 'it was not told what to boot before');
  const boot = bootRequestOf(request, mac);
  return whenDecided({ ...components, request: { ...request, mac, boot }, subnet, target: source, duid });
}

/** RFC 8415 §18.4: no client was told that it may write to our address. */
function answerUnicast(request: Dhcp6Request, target: Endpoint, components: Dhcp6ResponderComponents): Dhcp6Outcome {
  const { type } = request.message;
  if (!MAY_BE_REDIRECTED.has(type)) {
    return {
      kind: 'drop',
      reason: 'unicast',
      request,
      detail: `${dhcp6MessageTypeName(type)} without a relay to an own address`,
    };
  }
  const status = { code: Dhcp6Status.USE_MULTICAST, message: 'send to ff02::1:2' } as const;
  return send({ ...components, request, target, subnet: undefined }, { type: Dhcp6MessageType.REPLY, status });
}

const MAY_BE_REDIRECTED: ReadonlySet<number> = new Set([
  Dhcp6MessageType.REQUEST,
  Dhcp6MessageType.RENEW,
  Dhcp6MessageType.RELEASE,
  Dhcp6MessageType.DECLINE,
]);

function answer(exchange: Exchange): Dhcp6Outcome | Dhcp6Question {
  const { request, subnet } = exchange;
  const { type } = request.message;
  const isServed =
    type === Dhcp6MessageType.INFORMATION_REQUEST ||
    subnet.mode === 'server' ||
    (subnet.mode === 'boot-only' && type === Dhcp6MessageType.SOLICIT);
  if (!isServed)
    return drop(exchange, 'unserved-type', `${dhcp6MessageTypeName(type)} in a network of mode ${subnet.mode}`);
  switch (type) {
    case Dhcp6MessageType.SOLICIT:
    case Dhcp6MessageType.REQUEST:
    case Dhcp6MessageType.INFORMATION_REQUEST:
      return whenDecided(exchange);
    case Dhcp6MessageType.CONFIRM:
      return confirm(exchange);
    case Dhcp6MessageType.RENEW:
    case Dhcp6MessageType.REBIND: {
      const associations = extendAll(exchange, type === Dhcp6MessageType.REBIND);
      if (associations.length === 0) return drop(exchange, 'unknown-lease', 'it may be another server’s');
      const options = networkOptions6(request, subnet, false);
      return send(exchange, { type: Dhcp6MessageType.REPLY, associations, options });
    }
    default: {
      const how = type === Dhcp6MessageType.RELEASE ? 'release' : 'decline';
      const { associations, addresses } = giveUpAll(exchange, how);
      const status = { code: Dhcp6Status.SUCCESS, message: `${how}d` } as const;
      const draft = { type: Dhcp6MessageType.REPLY, status, associations };
      return send(exchange, draft, { reply: `${how}d`, addresses });
    }
  }
}

/** RFC 8415 §18.3.3. */
function confirm(exchange: Exchange): Dhcp6Outcome {
  const onLink = areOnLink(exchange.request, exchange.subnet);
  if (onLink === undefined) return drop(exchange, 'unknown-lease', 'CONFIRM of no address');
  const status = onLink
    ? ({ code: Dhcp6Status.SUCCESS, message: 'on link' } as const)
    : ({ code: Dhcp6Status.NOT_ON_LINK, message: `not in ${exchange.subnet.id}` } as const);
  return send(exchange, { type: Dhcp6MessageType.REPLY, status });
}

/** SOLICIT, REQUEST and INFORMATION-REQUEST tell what to boot, to who may want to know. */
function whenDecided(exchange: Exchange): Dhcp6Outcome | Dhcp6Question {
  const { request, subnet } = exchange;
  const { boot } = request;
  const isInformation = request.message.type === Dhcp6MessageType.INFORMATION_REQUEST;
  // RFC 8415 §16.12.
  if (isInformation && request.associations.length > 0) {
    return drop(exchange, 'malformed', 'INFORMATION-REQUEST with an identity association');
  }
  const isBooting =
    boot !== undefined && (boot.vendorClass ?? boot.architectures[0] ?? boot.userClasses[0]) !== undefined;
  const finish = (decision: BootDecision): Dhcp6Outcome => {
    const isBeside = subnet.mode === 'boot-only';
    if (isBeside && decision.kind === 'ignore')
      return drop(exchange, 'not-booting', `nothing to boot: ${decision.reason}`);
    if (boot !== undefined && decision.kind !== 'ignore') exchange.sightings.saw(boot.mac, boot.uuid);
    const { mac, duid } = request;
    if (isBeside && mac !== undefined && duid !== undefined) keepNewest(exchange.advertised, duid, mac, MAX_ADVERTISED);
    const options = [
      ...(isBeside ? [] : networkOptions6(request, subnet, isInformation)),
      ...bootOptions6(decision, request, { tftpUrl: exchange.plan.tftpUrl, isBeside }),
    ];
    const isLast = isInformation || request.message.type === Dhcp6MessageType.REQUEST;
    if (isLast && (isInformation || isBeside))
      return send(exchange, { type: Dhcp6MessageType.REPLY, options }, { boot: decision });
    return isBeside ? advertise(exchange, decision, options) : give(exchange, decision, options);
  };
  return isBooting ? { kind: 'question', request, boot, subnet: subnet.id, answer: finish } : finish(NOTHING_TO_BOOT);
}

function advertise(
  exchange: Exchange,
  boot: BootDecision,
  options: readonly Dhcp6Option[],
  associations: readonly AnsweredAssociation[] = [],
): Dhcp6Outcome {
  const { preference } = exchange.plan;
  const preferred = preference === undefined ? [] : [preferenceOption(preference)];
  const draft = { type: Dhcp6MessageType.ADVERTISE, associations, options: [...preferred, ...options] };
  return send(exchange, draft, { reply: 'advertise', boot });
}

/** Addresses: proposed to a SOLICIT, leased to a REQUEST and to a SOLICIT with rapid commit. */
function give(exchange: Exchange, boot: BootDecision, options: readonly Dhcp6Option[]): Dhcp6Outcome {
  const { request, subnet } = exchange;
  const isRequest = request.message.type === Dhcp6MessageType.REQUEST;
  const isRapid = !isRequest && request.rapidCommit && subnet.rapidCommit;
  const associations = assignAll(exchange, { commits: isRequest || isRapid, checksLink: isRequest });
  const isGiven = associations.some(({ address }) => address !== undefined);
  if (!isRequest && !(isRapid && isGiven)) return advertise(exchange, boot, options, associations);
  const draft = {
    type: Dhcp6MessageType.REPLY,
    associations,
    options: isRapid ? [RAPID_COMMIT_OPTION, ...options] : options,
  };
  return send(exchange, draft, { boot });
}

function send(
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
    isShort: associations.some(({ status }) => status?.code === Dhcp6Status.NO_ADDRS_AVAIL),
  };
}

function drop({ request }: Pick<Exchange, 'request'>, reason: Dhcp6DropReason, detail: string): Dhcp6Outcome {
  return { kind: 'drop', reason, detail, request };
}
