import {
  agentValue,
  BootpOp,
  concatBytes,
  editedLength,
  editRelayed,
  MessageType,
  outlineDhcp,
  type DhcpOutline,
  type Ipv4,
} from '@ingot/wire';
import { allocate } from './allocate.ts';
import type { RelayLink } from './link.ts';

/** Why a request goes no further; each is a label of the metrics. */
export type RequestRefusal =
  | 'agent-option'
  | 'fragment'
  | 'hidden-agent-option'
  | 'malformed'
  | 'no-room'
  | 'not-a-request'
  | 'not-a-clients-message'
  | 'not-sent'
  | 'our-giaddr'
  | 'relayed'
  | 'too-many-hops';

/** What becomes of a request. */
export type RequestPlan =
  | {
      readonly kind: 'forward';
      readonly outline: DhcpOutline;
      readonly data: Uint8Array;
      readonly servers: readonly Ipv4[];
      /** No room was left for option 82. */
      readonly isBare: boolean;
    }
  | { readonly kind: 'refuse'; readonly reason: RequestRefusal; readonly why: string };

export interface RequestPlace {
  readonly link: RelayLink;
  /** The port that it came in by, as far as it is known. */
  readonly port: string | undefined;
  /** It was sent to us alone. */
  readonly isUnicast: boolean;
}

export interface RequestRules {
  /** The longest request with option 82, bytes. */
  readonly maxBytes: number;
  /** Whether an address, as a number, is one of this switch. */
  readonly isOwn: (address: number) => boolean;
  /** The only server that a REQUEST is for; undefined: all of them. */
  readonly chosenServer: (request: DhcpOutline, data: Uint8Array) => Ipv4 | undefined;
}

/** RFC 2131 §4.1.1, RFC 1542 §4.1.1 and RFC 3046 §2.1: what a relay agent does with what a client sends. */
export function planRequest(data: Uint8Array, place: RequestPlace, rules: RequestRules): RequestPlan {
  const { link, port, isUnicast } = place;
  const { settings } = link;
  const read = outlineDhcp(data);
  if (!read.ok) return refuse('malformed', `${read.reason}, at byte ${read.offset}`);
  const request = read.value;
  if (request.op !== BootpOp.REQUEST) return refuse('not-a-request', 'a reply came from a client');
  if (isServersMessage(request.messageType))
    return refuse('not-a-clients-message', `no client sends message type ${request.messageType}`);
  if (request.hops >= settings.maxHops)
    return refuse('too-many-hops', `it has been through ${request.hops} relays, ${settings.maxHops} are too many`);
  // RFC 3046 §2.1.1: somebody pretends to be us.
  if (rules.isOwn(request.giaddr)) return refuse('our-giaddr', 'its giaddr is one of our own addresses');
  const isRelayed = request.giaddr !== 0;
  if (isRelayed && !settings.downstreamRelays)
    return refuse('relayed', 'its giaddr is set, and relays on this link are not trusted');
  const hasAgent = request.agentPieces.length > 0;
  if (request.hasHiddenAgent && settings.agentRelayMode !== 'forward')
    return refuse('hidden-agent-option', 'option 82 stands where no relay puts it');
  if (hasAgent && settings.agentRelayMode === 'discard') return refuse('agent-option', 'it carries option 82 already');
  const hops = request.hops + 1;
  const servers = chosen(link, rules.chosenServer(request, data));
  const edited = (agent: Uint8Array | undefined, giaddr: number, isBare = false): RequestPlan => ({
    kind: 'forward',
    outline: request,
    data: editRelayed(data, request, { hops, giaddr, agent, allocate }),
    servers,
    isBare,
  });
  // RFC 3046 §2.1.1: whoever set giaddr gets the answer, and has to find its own option 82 in it.
  if (isRelayed) return edited(undefined, request.giaddr);
  if (settings.agentRelayMode === 'forward' && (hasAgent || request.hasHiddenAgent))
    return edited(undefined, link.giaddrNumber);
  const own = link.agentFor(port, isUnicast);
  const agent = hasAgent && settings.agentRelayMode === 'append' ? concatBytes([agentValue(data, request), own]) : own;
  if (editedLength(request, agent) <= rules.maxBytes) return edited(agent, link.giaddrNumber);
  // Without it the server would look for the client on the wrong link.
  if (settings.linkSelection) return refuse('no-room', `option 82 makes it longer than ${rules.maxBytes} bytes`);
  // RFC 3046 §2.1: "the agent SHALL forward the packet without adding the option".
  return edited(undefined, link.giaddrNumber, true);
}

function refuse(reason: RequestRefusal, why: string): RequestPlan {
  return { kind: 'refuse', reason, why };
}

function chosen({ settings }: RelayLink, one: Ipv4 | undefined): readonly Ipv4[] {
  return one === undefined ? settings.servers : [one];
}

/** 0 is an option 53 that is no message type. */
function isServersMessage(type: number | undefined): boolean {
  return (
    type === 0 ||
    type === MessageType.OFFER ||
    type === MessageType.ACK ||
    type === MessageType.NAK ||
    type === FORCERENEW
  );
}

/** RFC 3203. */
const FORCERENEW = 9;
