import {
  agentValue,
  BootpOp,
  DHCP_CLIENT_PORT,
  editRelayed,
  FLAG_BROADCAST,
  HTYPE_ETHERNET,
  IPV4_BROADCAST,
  ipv4OfBytes,
  ipv4OfNumber,
  MessageType,
  outlineDhcp,
  outlineHardwareAddress,
  RelayAgentCode,
  type DhcpOutline,
} from '@ingot/wire';
import type { Endpoint, LinkOutgoing } from '@ingot/net';
import { allocate } from './allocate.ts';
import { splitEchoed, type EchoedAgent } from './agent-option.ts';
import type { RelayLink } from './link.ts';

/** Why a server's answer goes no further; each is a label of the metrics. */
export type ReplyRefusal =
  | 'foreign-giaddr'
  | 'malformed-reply'
  | 'no-link'
  | 'not-a-servers-message'
  | 'reply-not-sent'
  | 'unknown-server';

/** What becomes of an answer. `ignore`: it is a request, which came to us over its link as well. */
export type ReplyPlan =
  | {
      readonly kind: 'forward';
      readonly outline: DhcpOutline;
      readonly link: RelayLink;
      readonly reply: LinkOutgoing;
    }
  | { readonly kind: 'refuse'; readonly reason: ReplyRefusal; readonly why: string }
  | { readonly kind: 'ignore' };

const BROADCAST_MAC = new Uint8Array(6).fill(0xff);
const TO_ALL: Endpoint = { address: IPV4_BROADCAST, port: DHCP_CLIENT_PORT };
const NOTHING = new Uint8Array(0);

/** What a relay agent does with what a server sends to its giaddr; `links` have that giaddr. */
export function planReply(data: Uint8Array, source: number, links: readonly RelayLink[]): ReplyPlan {
  const read = outlineDhcp(data);
  if (!read.ok) return refuse('malformed-reply', `${read.reason}, at byte ${read.offset}`);
  const reply = read.value;
  if (reply.op !== BootpOp.REPLY) return { kind: 'ignore' };
  if (!links.some(({ serverNumbers }) => serverNumbers.includes(source)))
    return refuse('unknown-server', `${ipv4OfNumber(source)} is not among the DHCP servers`);
  if (isClientsMessage(reply.messageType))
    return refuse('not-a-servers-message', `no server sends message type ${reply.messageType}`);
  const own = links.filter(({ giaddrNumber }) => giaddrNumber === reply.giaddr);
  if (own.length === 0) return refuse('foreign-giaddr', `its giaddr is ${ipv4OfNumber(reply.giaddr)}, not ours`);
  const found = linkOf(data, reply, own);
  if (found === undefined) return refuse('no-link', 'its option 82 does not name the link that it is for');
  const { link, echoed } = found;
  if (!link.serverNumbers.includes(source))
    return refuse('unknown-server', `${ipv4OfNumber(source)} is not a DHCP server of ${link.settings.name}`);
  return {
    kind: 'forward',
    outline: reply,
    link,
    reply: {
      ...destination(data, reply),
      data: editRelayed(data, reply, {
        hops: reply.hops,
        giaddr: reply.giaddr,
        agent: agentForClient(link, echoed),
        allocate,
      }),
    },
  };
}

function refuse(reason: ReplyRefusal, why: string): ReplyPlan {
  return { kind: 'refuse', reason, why };
}

interface Found {
  readonly link: RelayLink;
  /** Undefined: there is nothing in it to keep. */
  readonly echoed: EchoedAgent | undefined;
}

/** Of several links with one giaddr the one that link selection names, as its server has echoed it. */
function linkOf(data: Uint8Array, reply: DhcpOutline, links: readonly RelayLink[]): Found | undefined {
  const [only] = links;
  if (only !== undefined && links.length === 1)
    return { link: only, echoed: keepsForeign(only) ? echoedBy(data, reply, only) : undefined };
  for (const link of links) {
    const echoed = echoedBy(data, reply, link);
    const named = echoed?.own?.find(({ code }) => code === RelayAgentCode.LINK_SELECTION);
    const address = named && ipv4OfBytes(named.data);
    if (address?.ok === true && address.value === link.address) return { link, echoed };
  }
  return undefined;
}

function echoedBy(data: Uint8Array, reply: DhcpOutline, link: RelayLink): EchoedAgent | undefined {
  return splitEchoed(agentValue(data, reply), link.remoteId);
}

function keepsForeign({ settings }: RelayLink): boolean {
  return settings.agentRelayMode === 'append' || settings.agentRelayMode === 'forward';
}

/** RFC 3046 §2.1: what we added is taken out; what another one had added before, that one takes out. */
function agentForClient(link: RelayLink, echoed: EchoedAgent | undefined): Uint8Array {
  return echoed !== undefined && keepsForeign(link) ? echoed.before : NOTHING;
}

/**
 * RFC 1542 §5.4 and RFC 2131 §4.1: to the client alone, by its hardware address, for it answers no ARP yet; to all, if
 * it asks for that, has no address to be reached at, or no Ethernet address of its own. A NAK is for all.
 */
function destination(data: Uint8Array, reply: DhcpOutline): Pick<LinkOutgoing, 'mac' | 'target'> {
  const address = reply.yiaddr === 0 ? reply.ciaddr : reply.yiaddr;
  const mac = outlineHardwareAddress(data, reply);
  const isReachable =
    address !== 0 && reply.htype === HTYPE_ETHERNET && mac.length === BROADCAST_MAC.length && isOneHost(mac);
  if (!isReachable || reply.messageType === MessageType.NAK || (reply.flags & FLAG_BROADCAST) !== 0)
    return { target: TO_ALL, mac: BROADCAST_MAC };
  return { target: { address: ipv4OfNumber(address), port: DHCP_CLIENT_PORT }, mac };
}

/** Neither a group's address nor none at all. */
function isOneHost(mac: Uint8Array): boolean {
  return ((mac[0] ?? 0) & 0x01) === 0 && mac.some((byte) => byte !== 0);
}

function isClientsMessage(type: number | undefined): boolean {
  return (
    type === 0 ||
    type === MessageType.DISCOVER ||
    type === MessageType.REQUEST ||
    type === MessageType.DECLINE ||
    type === MessageType.RELEASE ||
    type === MessageType.INFORM
  );
}
