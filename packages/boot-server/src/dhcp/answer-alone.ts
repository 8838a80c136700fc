import { IPV4_ANY, ipv4OfNumber, ipv4ToNumber, MessageType, messageTypeName } from '@ingot/wire';
import type { BootDecision } from '../decide/decision.ts';
import { bootFields, type BootFields } from './boot-fields.ts';
import { ask, drop, reply, type Exchange } from './exchange.ts';
import type { LeaseEngine, RequestKind } from './lease-engine.ts';
import type { DhcpOutcome, DhcpQuestion } from './outcome.ts';
import { informReply, leaseReply, nakReply } from './reply.ts';
import type { DhcpRequest } from './request.ts';

/** Alone in charge of the network. */
export function answerAlone(exchange: Exchange): DhcpOutcome | DhcpQuestion {
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
      const declined = leases.decline(subnet, request.mac, address);
      if (declined === 'declined') return { kind: 'done', what: 'declined', request };
      const detail = `it declines ${request.wantedAddress}`;
      return declined === 'not-its-address'
        ? drop(exchange, declined, detail)
        : drop(exchange, declined, `${detail}, as it did others: look what answers its ARP, as a switch does for all`);
    }
    default:
      return drop(exchange, 'unserved-type', messageTypeName(request.type));
  }
}

function offer(exchange: Exchange, decision: BootDecision): DhcpOutcome {
  const { request, subnet, leases, serverId } = exchange;
  const wanted = request.wantedAddress === undefined ? undefined : ipv4ToNumber(request.wantedAddress);
  const offered = leases.offer(subnet, { mac: request.mac, uuid: request.boot.uuid }, wanted);
  const reserved = subnet.reservations.get(request.mac);
  if (!offered.ok) {
    const full = `every address of ${subnet.id} is in use: widen its pool or shorten leaseSeconds`;
    return reserved === undefined
      ? drop(exchange, offered.reason, full)
      : drop(exchange, 'reservation-taken', takenWords(leases, reserved));
  }
  const { address } = offered;
  const boot = whatToBoot(exchange, decision);
  let outcome = reply(
    exchange,
    'offer',
    leaseReply(request, { type: MessageType.OFFER, serverId, subnet, address, boot }),
    address,
    decision,
  );
  if (reserved !== undefined && reserved !== address && outcome.kind === 'reply') {
    const words = `${takenWords(leases, reserved)}; ${request.mac} gets ${ipv4OfNumber(address)} until then`;
    outcome = { ...outcome, remarks: [...(outcome.remarks ?? []), { event: 'dhcp.reservation-taken', words }] };
  }
  const isUnproven = (): boolean => leases.isUnproven(subnet, request.mac, address);
  if (outcome.kind !== 'reply' || !isUnproven()) return outcome;
  return {
    ...outcome,
    unproven: {
      address,
      setAside: () => isUnproven() && leases.setAside(subnet, request.mac, address),
      offerAnother: () => offer(exchange, decision),
    },
  };
}

/** Why a NIC does not get what is reserved for it. */
function takenWords(leases: LeaseEngine, reserved: number): string {
  const holder = leases.holderOf(reserved)?.mac;
  const who =
    holder === undefined ? 'another host was found there' : `${holder} had it before and has not given it back`;
  return `${ipv4OfNumber(reserved)} is reserved for it, but ${who}`;
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
