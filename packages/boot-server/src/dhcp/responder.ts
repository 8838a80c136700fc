import { ipv4ToNumber, macOfDhcpBytes, type Ipv4 } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { SightingStore } from '../store/sightings.ts';
import { answerAlone } from './answer-alone.ts';
import { answerBeside } from './answer-beside.ts';
import { chooseSubnet, type ServedNetworks } from './choose-subnet.ts';
import { drop, type Exchange } from './exchange.ts';
import type { LeaseEngine } from './lease-engine.ts';
import { answerLeaseTime } from './lease-time.ts';
import type { DhcpOutcome, DhcpQuestion, DhcpRemark } from './outcome.ts';
import { parseDhcpRequest } from './request.ts';
import type { Subnet } from './subnets.ts';

export interface DhcpResponderComponents extends ServedNetworks {
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
      return { kind: 'drop', reason: parsed.reason, detail: parsed.detail, mac: macOfDhcpBytes(data) };
    }
    const request = parsed.value;
    const subnet = chooseSubnet(request, receivedAt, components);
    if (typeof subnet === 'string') {
      const { giaddr, ciaddr } = request.packet;
      const link = request.linkSelection ?? receivedAt;
      const unread = request.unreadAgent === undefined ? '' : `; option 82 cannot be read: ${request.unreadAgent}`;
      const detail = `no subnet for giaddr ${giaddr}, ciaddr ${ciaddr}, link ${link}${unread}`;
      return { kind: 'drop', reason: subnet, request, detail };
    }
    const relay = ipv4ToNumber(request.packet.giaddr);
    const isRelayInPool = subnet.pool !== undefined && relay >= subnet.pool.first && relay <= subnet.pool.last;
    if (isRelayInPool) leases.noteRelay(relay);
    const exchange: Exchange = {
      leases,
      sightings,
      request,
      subnet,
      source,
      remarks: [
        ...(isRelayInPool ? [relayInPool(request.packet.giaddr, subnet)] : []),
        ...(request.unreadAgent === undefined ? [] : [agentUnread(request.packet.giaddr, request.unreadAgent)]),
      ],
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

function relayInPool(giaddr: Ipv4, { id }: Subnet): DhcpRemark {
  return {
    event: 'dhcp.relay-in-pool',
    words: `relay ${giaddr} has an address of the pool of ${id}: leave it out there`,
  };
}

function agentUnread(giaddr: Ipv4, why: string): DhcpRemark {
  const words = `option 82 of relay ${giaddr} cannot be read, so that port and link selection are not known: ${why}`;
  return { event: 'dhcp.agent-unread', words };
}
