import {
  BootpOp,
  FLAG_BROADCAST,
  IPV4_ANY,
  ipv4OfNumber,
  ipv4Option,
  messageTypeOption,
  MessageType,
  OptionCode,
  replyLimitBytes,
  textOption,
  uint16Option,
  writeDhcp,
  type DhcpOption,
  type Encoded,
  type Ipv4,
} from '@ingot/wire';
import { quirksOf } from '../decide/quirks.ts';
import type { BootFields } from './boot-fields.ts';
import { echoedOptions, isRelayed, type DhcpRequest } from './request.ts';
import type { PlannedOption } from './subnet-options.ts';
import type { Subnet } from './subnets.ts';

/** An Ethernet frame's 1500 bytes without IP and UDP headers: a reply is never fragmented, whatever option 57 allows. */
const MAX_REPLY_BYTES = 1_472;

interface Draft {
  readonly type: MessageType;
  readonly serverId: Ipv4;
  readonly flags?: number;
  readonly ciaddr?: Ipv4;
  readonly yiaddr?: Ipv4;
  readonly boot?: BootFields | undefined;
  readonly options?: readonly DhcpOption[];
}

/** Codes of options that there was no room for. */
export type Fitted = Encoded<Uint8Array> & { readonly leftOut?: readonly number[] };

/** OFFER, or ACK to a REQUEST. */
export function leaseReply(
  request: DhcpRequest,
  lease: { type: MessageType; serverId: Ipv4; subnet: Subnet; address: number; boot: BootFields | undefined },
): Fitted {
  const { subnet } = lease;
  return fit(networkOptions(request, subnet), (options) =>
    encode(request, {
      type: lease.type,
      serverId: lease.serverId,
      // RFC 2131 table 3: an ACK repeats ciaddr, an OFFER has none.
      ciaddr: lease.type === MessageType.ACK ? request.packet.ciaddr : IPV4_ANY,
      yiaddr: ipv4OfNumber(lease.address),
      boot: lease.boot,
      options: [...subnet.timeOptions, ...options],
    }),
  );
}

/** ACK to an INFORM: everything but an address and a time (RFC 2131 §4.3.5). */
export function informReply(
  request: DhcpRequest,
  reply: { serverId: Ipv4; subnet: Subnet; boot: BootFields | undefined },
): Fitted {
  return fit(networkOptions(request, reply.subnet), (options) =>
    encode(request, {
      type: MessageType.ACK,
      serverId: reply.serverId,
      ciaddr: request.packet.ciaddr,
      // There is no yiaddr that a relay could unicast to.
      ...(isRelayed(request.packet) ? { flags: FLAG_BROADCAST } : {}),
      boot: reply.boot,
      options,
    }),
  );
}

/** Without these a client can reach nobody. */
const ESSENTIAL: ReadonlySet<number> = new Set([OptionCode.SUBNET_MASK, OptionCode.ROUTERS]);

/**
 * A machine whose answer is too long for what it accepts boots without its search list, rather than not at all. What only
 * operating systems ask for is left out first, the last of it first.
 */
function fit(
  options: readonly PlannedOption[],
  encodeWith: (options: readonly PlannedOption[]) => Encoded<Uint8Array>,
): Fitted {
  const whole = encodeWith(options);
  if (whole.ok) return whole;
  const byNeed = options
    .filter(({ code }) => !ESSENTIAL.has(code))
    .toReversed()
    .toSorted((a, b) => Number(a.always) - Number(b.always));
  const leftOut: number[] = [];
  for (const { code } of byNeed) {
    leftOut.push(code);
    const fitted = encodeWith(options.filter((option) => !leftOut.includes(option.code)));
    if (fitted.ok) return { ...fitted, leftOut };
  }
  return whole;
}

/** An offer without an address, beside another server's. */
export function proxyReply(request: DhcpRequest, reply: { serverId: Ipv4; boot: BootFields }): Encoded<Uint8Array> {
  return encode(request, {
    type: MessageType.OFFER,
    serverId: reply.serverId,
    // There is no yiaddr that a relay could unicast to.
    flags: FLAG_BROADCAST,
    boot: reply.boot,
  });
}

/** The answer on port 4011. */
export function pxeReply(request: DhcpRequest, reply: { serverId: Ipv4; boot: BootFields }): Encoded<Uint8Array> {
  return encode(request, {
    type: MessageType.ACK,
    serverId: reply.serverId,
    ciaddr: request.packet.ciaddr,
    boot: reply.boot,
  });
}

/** `message` tells a person at the client why. */
export function nakReply(request: DhcpRequest, reply: { serverId: Ipv4; message: string }): Encoded<Uint8Array> {
  return encode(request, {
    type: MessageType.NAK,
    serverId: reply.serverId,
    // RFC 2131 §4.3.2: through a relay "the server MUST set the broadcast bit in the DHCPNAK".
    ...(isRelayed(request.packet) ? { flags: FLAG_BROADCAST } : {}),
    options: [textOption(OptionCode.MESSAGE, reply.message)],
  });
}

function encode(request: DhcpRequest, draft: Draft): Encoded<Uint8Array> {
  const { packet, options } = request;
  return writeDhcp(
    {
      op: BootpOp.REPLY,
      htype: packet.htype,
      hlen: packet.hlen,
      xid: packet.xid,
      flags: draft.flags ?? packet.flags,
      ciaddr: draft.ciaddr ?? IPV4_ANY,
      yiaddr: draft.yiaddr ?? IPV4_ANY,
      siaddr: draft.boot?.siaddr ?? IPV4_ANY,
      giaddr: packet.giaddr,
      chaddr: packet.chaddr,
      sname: draft.boot?.sname ?? '',
      file: draft.boot?.file ?? '',
      options: [
        messageTypeOption(draft.type),
        ipv4Option(OptionCode.SERVER_ID, draft.serverId),
        ...(draft.options ?? []),
        ...(draft.boot?.options ?? []),
        ...echoedOptions(packet),
      ],
    },
    { maxBytes: Math.min(MAX_REPLY_BYTES, replyLimitBytes(options)), allocate },
  );
}

function networkOptions(request: DhcpRequest, subnet: Subnet): PlannedOption[] {
  const planned = subnet.ownOptions.get(request.mac) ?? subnet.options;
  let asked: Uint8Array | undefined;
  const { mtu } = quirksOf(request.boot);
  const chosen: PlannedOption[] = planned.filter(({ code, always }) => {
    if (always || (mtu !== undefined && code === OptionCode.INTERFACE_MTU)) return true;
    asked ??= request.options.get(OptionCode.PARAMETER_LIST) ?? NONE;
    return asked.includes(code);
  });
  if (mtu !== undefined && !chosen.some(({ code }) => code === OptionCode.INTERFACE_MTU))
    chosen.push({ ...uint16Option(OptionCode.INTERFACE_MTU, mtu), always: true });
  return chosen;
}

const NONE = new Uint8Array(0);

/** Out of Node's pool: an array of its own for each reply costs as much as all the rest of it. */
function allocate(sizeBytes: number): Uint8Array {
  return Buffer.allocUnsafe(sizeBytes).fill(0);
}
