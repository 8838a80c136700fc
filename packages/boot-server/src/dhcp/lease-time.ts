import {
  BootpOp,
  decodeDhcp,
  ipv4Option,
  ipv4ToNumber,
  MessageType,
  messageTypeOption,
  OptionCode,
  readMessageType,
  readOptions,
  uint32Option,
  writeDhcp,
  type Ipv4,
} from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { LeaseEngine } from './lease-engine.ts';

/**
 * Answers dnsmasq's `dhcp_lease_time`, which scripts on the server's own host call: an INFORM to 127.0.0.1 without a
 * hardware address, which asks for the time (option 51) that the lease of `ciaddr` still runs. RFC 2131 §4.3.5 has no
 * such time in an ACK to an INFORM, so only this host is told: nothing from elsewhere can have a source in 127.0.0.0/8.
 * Without a lease the ACK has no time, on which the program ends with status 1.
 *
 * @returns undefined when this is no such question
 */
export function answerLeaseTime(
  data: Uint8Array,
  source: Endpoint,
  { leases, serverId }: { readonly leases: Pick<LeaseEngine, 'secondsLeft'>; readonly serverId: Ipv4 },
): Uint8Array | undefined {
  if (!source.address.startsWith('127.')) return undefined;
  const decoded = decodeDhcp(data);
  if (!decoded.ok || decoded.value.op !== BootpOp.REQUEST || decoded.value.hlen !== 0) return undefined;
  const { htype, xid, ciaddr } = decoded.value;
  const options = readOptions(decoded.value);
  const type = readMessageType(options);
  if (type?.ok !== true || type.value !== MessageType.INFORM) return undefined;
  if (options.get(OptionCode.PARAMETER_LIST)?.includes(OptionCode.LEASE_TIME) !== true) return undefined;
  const seconds = leases.secondsLeft(ipv4ToNumber(ciaddr));
  const reply = writeDhcp({
    op: BootpOp.REPLY,
    htype,
    hlen: 0,
    xid,
    ciaddr,
    options: [
      messageTypeOption(MessageType.ACK),
      ipv4Option(OptionCode.SERVER_ID, serverId),
      ...(seconds === undefined ? [] : [uint32Option(OptionCode.LEASE_TIME, seconds)]),
    ],
  });
  return reply.ok ? reply.value : undefined;
}
