import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  IPV4_ANY,
  IPV4_BROADCAST,
  ipv4ToNumber,
  MessageType,
  wantsBroadcast,
  type DhcpPacket,
} from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import { networkContains } from '../ipv4.ts';
import type { DhcpRequest } from './request.ts';
import type { Subnet } from './subnets.ts';

/**
 * Where a reply goes: RFC 2131 §4.1, the only place that decides it.
 *
 * To a client without an address and without the broadcast flag the reply "SHOULD" go to its hardware address: see
 * `mayUnicast`. Where that is not possible, "the message MAY be sent as an IP broadcast using an IP broadcast address
 * (preferably 0xffffffff)". Every client hears that, for it cannot know either whether the server could unicast.
 */
export function replyTarget(request: DhcpRequest, reply: MessageType, subnet: Subnet, source: Endpoint): Endpoint {
  const { packet, relay } = request;
  if (packet.giaddr !== IPV4_ANY) {
    // RFC 8357: a relay that shares port 67 with somebody listens where it sent from.
    return { address: packet.giaddr, port: relay?.usesSourcePort === true ? source.port : DHCP_SERVER_PORT };
  }
  // "In all cases, when 'giaddr' is zero, the server broadcasts any DHCPNAK messages to 0xffffffff."
  if (reply !== MessageType.NAK && hasOwnAddress(packet, subnet))
    return { address: packet.ciaddr, port: DHCP_CLIENT_PORT };
  return { address: IPV4_BROADCAST, port: DHCP_CLIENT_PORT };
}

/**
 * Whether a reply that goes to all may go to its client alone instead, by a frame to its hardware address: the kernel
 * itself would ask by ARP for an address that nobody has yet.
 */
export function mayUnicast({ packet, mac }: DhcpRequest, target: Endpoint): boolean {
  const isToOne = (Number.parseInt(mac.slice(0, 2), 16) & GROUP_BIT) === 0;
  return target.address === IPV4_BROADCAST && packet.ciaddr === IPV4_ANY && !wantsBroadcast(packet) && isToOne;
}

/** Of a hardware address that is a group's: a forged one would turn the unicast into a flood. */
const GROUP_BIT = 0x01;

/** Only within the network that is answered for: whoever writes a stranger's address there would have it flooded. */
function hasOwnAddress(packet: DhcpPacket, subnet: Subnet): boolean {
  return packet.ciaddr !== IPV4_ANY && networkContains(subnet.network, ipv4ToNumber(packet.ciaddr));
}
