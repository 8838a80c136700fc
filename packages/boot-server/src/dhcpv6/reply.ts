import {
  Dhcp6MessageType,
  Dhcp6OptionCode,
  dhcp6StatusOption,
  dhcp6Uint32Option,
  dhcp6Uint8Option,
  domainListOption,
  encodeDhcp6Reply,
  findDhcp6Option,
  iaAddressOption,
  identityAssociationOption,
  ipv6Option,
  ntpServersOption,
  type Dhcp6Option,
  type Dhcp6Status,
  type Ipv6,
} from '@ingot/wire';
import type { Dhcp6Request, RequestedAssociation } from './request.ts';
import type { Subnet6 } from './subnets.ts';

/** An Ethernet frame's 1500 bytes without IPv6 and UDP headers, for the reply with all its relay headers. */
const MAX_REPLY_BYTES = 1_452;

/** What becomes of one identity association. */
export interface AnsweredAssociation {
  readonly ia: RequestedAssociation;
  /** Leased. */
  readonly address?: Ipv6 | undefined;
  /** Those that the client must not use any longer. */
  readonly withdrawn?: readonly Ipv6[];
  readonly status?: { readonly code: Dhcp6Status; readonly message: string } | undefined;
}

export interface Dhcp6Draft {
  readonly type: typeof Dhcp6MessageType.ADVERTISE | typeof Dhcp6MessageType.REPLY;
  readonly serverDuid: Uint8Array;
  readonly status?: { readonly code: Dhcp6Status; readonly message: string };
  readonly associations?: readonly AnsweredAssociation[];
  readonly options?: readonly Dhcp6Option[];
}

/** The datagram, with the headers of all relays; undefined when it is too long to send. */
export function encodeReply6(
  request: Dhcp6Request,
  subnet: Subnet6 | undefined,
  draft: Dhcp6Draft,
): Uint8Array | undefined {
  const clientId = findDhcp6Option(request.message.options, Dhcp6OptionCode.CLIENT_ID);
  const options: Dhcp6Option[] = [
    ...(clientId === undefined ? [] : [{ code: Dhcp6OptionCode.CLIENT_ID, data: clientId }]),
    { code: Dhcp6OptionCode.SERVER_ID, data: draft.serverDuid },
    ...(draft.status === undefined ? [] : [dhcp6StatusOption(draft.status.code, draft.status.message)]),
    ...(subnet === undefined ? [] : (draft.associations ?? []).map((each) => associationOption(each, subnet))),
    ...(draft.options ?? []),
  ];
  const { transactionId } = request.message;
  const data = encodeDhcp6Reply({ kind: 'message', type: draft.type, transactionId, options }, request.relays);
  return data.length > MAX_REPLY_BYTES ? undefined : data;
}

function associationOption({ ia, address, withdrawn = [], status }: AnsweredAssociation, subnet: Subnet6): Dhcp6Option {
  const { preferredSeconds, validSeconds, renewSeconds, rebindSeconds } = subnet;
  const isLeased = address !== undefined;
  return identityAssociationOption({
    kind: ia.kind,
    iaid: ia.iaid,
    t1: isLeased ? renewSeconds : 0,
    t2: isLeased ? rebindSeconds : 0,
    options: [
      ...(isLeased
        ? [iaAddressOption({ address, preferredLifetime: preferredSeconds, validLifetime: validSeconds, options: [] })]
        : []),
      ...withdrawn.map((each) =>
        iaAddressOption({ address: each, preferredLifetime: 0, validLifetime: 0, options: [] }),
      ),
      ...(status === undefined ? [] : [dhcp6StatusOption(status.code, status.message)]),
    ],
  });
}

/** IRT_MINIMUM (RFC 8415 §7.6). */
const MIN_REFRESH_SECONDS = 600;

/** Name servers and the like: what the client asks for, and all of it for one that does not say (RFC 8415 §18.3). */
export function networkOptions6({ requested }: Dhcp6Request, subnet: Subnet6, isInformation: boolean): Dhcp6Option[] {
  const { dnsServers, domains, ntpServers } = subnet;
  const all: Dhcp6Option[] = [
    ...(dnsServers.length > 0 ? [ipv6Option(Dhcp6OptionCode.DNS_SERVERS, ...dnsServers)] : []),
    ...(domains.length > 0 ? [domainListOption(domains)] : []),
  ];
  const time: Dhcp6Option[] =
    ntpServers.length > 0
      ? [
          ntpServersOption(ntpServers.map((address) => ({ kind: 'address', address }))),
          ipv6Option(Dhcp6OptionCode.SNTP_SERVERS, ...ntpServers),
        ]
      : [];
  const refresh = isInformation
    ? [dhcp6Uint32Option(Dhcp6OptionCode.INFORMATION_REFRESH_TIME, Math.max(MIN_REFRESH_SECONDS, subnet.validSeconds))]
    : [];
  if (requested === undefined) return [...all, ...time.slice(0, 1), ...refresh];
  return [...all, ...time, ...refresh].filter(({ code }) => requested.has(code));
}

export function preferenceOption(preference: number): Dhcp6Option {
  return dhcp6Uint8Option(Dhcp6OptionCode.PREFERENCE, preference);
}

export const RAPID_COMMIT_OPTION: Dhcp6Option = { code: Dhcp6OptionCode.RAPID_COMMIT, data: new Uint8Array() };
