import {
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  Dhcp6MessageType,
  dhcp6MessageTypeName,
  Dhcp6OptionCode,
  Dhcp6Status,
  equalBytes,
  findDhcp6Option,
} from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import { answer, whenDecided } from './answer.ts';
import { chooseSubnet } from './choose-subnet.ts';
import { drop, send, type Dhcp6ResponderComponents } from './exchange.ts';
import type { Dhcp6Arrival, Dhcp6DropReason, Dhcp6Outcome, Dhcp6Question } from './outcome.ts';
import { bootRequestOf, parseDhcp6Request, type Dhcp6Request } from './request.ts';
import { findSubnet6 } from './subnets.ts';

/** Answers datagrams on port 547; no socket, no clock. */
export type Dhcp6Responder = (
  data: Uint8Array,
  source: Endpoint,
  arrival: Dhcp6Arrival,
) => Dhcp6Outcome | Dhcp6Question;

export function createDhcp6Responder(components: Dhcp6ResponderComponents): Dhcp6Responder {
  return (data, source, arrival) => {
    const parsed = parseDhcp6Request(data, source.address);
    if (!parsed.ok) return { kind: 'drop', reason: parsed.reason, detail: parsed.detail };
    const request = parsed.value;
    const refusal = refuse(request, components);
    if (refusal !== undefined) return { kind: 'drop', request, ...refusal };
    // Machines of one image, and those without a UUID, share a DUID.
    if (!components.mayAnswer(`${request.duid ?? ''} ${request.peer}`)) {
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
