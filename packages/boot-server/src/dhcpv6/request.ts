import {
  decodeDhcp6Envelope,
  decodeDuid,
  Dhcp6MessageType,
  Dhcp6OptionCode,
  duidText,
  findDhcp6Option,
  hex,
  IpxeFeature,
  isUnsetUuid,
  machineUuidOfBytes,
  parseIpv6,
  parseMachineUuid,
  readDhcp6ClientArchs,
  readDhcp6RemoteId,
  readDhcp6UserClasses,
  readDhcp6VendorClasses,
  readIaAddresses,
  readIdentityAssociations,
  readOptionRequest,
  type Dhcp6Envelope,
  type Dhcp6Option,
  type Dhcp6VendorClass,
  type IaAddress,
  type Ipv6,
  type Mac,
} from '@ingot/wire';
import type { BootRequest } from '../decide/client.ts';
import { relayIdText } from '../decide/relay-id.ts';
import { clientMac } from './client-mac.ts';

/** An IA with its addresses. */
export interface RequestedAssociation {
  readonly kind: 'na' | 'pd';
  readonly iaid: number;
  readonly addresses: readonly IaAddress[];
}

/** A client's message, as far as the server acts on it. */
export interface Dhcp6Request extends Dhcp6Envelope {
  /** The client's own address, without its interface. */
  readonly peer: Ipv6;
  /** Option 1 in hex with colons. */
  readonly duid: string | undefined;
  readonly mac: Mac | undefined;
  readonly uuid: string | undefined;
  /** Option 2 as it came. */
  readonly serverId: Uint8Array | undefined;
  readonly associations: readonly RequestedAssociation[];
  /** Option 6; undefined when absent. */
  readonly requested: ReadonlySet<number> | undefined;
  readonly rapidCommit: boolean;
  readonly vendorClass: Dhcp6VendorClass | undefined;
  /** What it shows of itself as a boot client, in DHCPv4's words; undefined where its NIC is not known. */
  readonly boot: BootRequest | undefined;
  /** Option 18 of the relay at the client: its port, as far as the relay tells. */
  readonly circuitId: string | undefined;
  /** Option 37. */
  readonly remoteId: string | undefined;
}

export type ParsedDhcp6Request =
  | { readonly ok: true; readonly value: Dhcp6Request }
  | {
      readonly ok: false;
      readonly reason: 'malformed' | 'not-a-request' | 'too-many-associations';
      readonly detail: string;
    };

/** A machine has one for each of its NICs at most; each costs a lease. */
const MAX_ASSOCIATIONS = 8;
/** Addresses of one IA that are looked at: one is leased, the others are a former server's. */
const MAX_ADDRESSES = 8;

const REQUESTS: ReadonlySet<number> = new Set([
  Dhcp6MessageType.SOLICIT,
  Dhcp6MessageType.REQUEST,
  Dhcp6MessageType.CONFIRM,
  Dhcp6MessageType.RENEW,
  Dhcp6MessageType.REBIND,
  Dhcp6MessageType.RELEASE,
  Dhcp6MessageType.DECLINE,
  Dhcp6MessageType.INFORMATION_REQUEST,
]);

/**
 * Reads a datagram on port 547. What concerns booting only (options 15, 16, 61) is taken as absent when it is
 * malformed: such a machine still gets an address.
 */
export function parseDhcp6Request(data: Uint8Array, source: string): ParsedDhcp6Request {
  const decoded = decodeDhcp6Envelope(data);
  if (!decoded.ok) return { ok: false, reason: 'malformed', detail: `at byte ${decoded.offset}: ${decoded.reason}` };
  const { message, relays } = decoded.value;
  const { options } = message;
  if (!REQUESTS.has(message.type) || relays[0]?.type === Dhcp6MessageType.RELAY_REPL) {
    return { ok: false, reason: 'not-a-request', detail: `message type ${message.type} came to the server port` };
  }
  const peer = relays.at(-1)?.peerAddress ?? addressOf(source);
  const clientId = findDhcp6Option(options, Dhcp6OptionCode.CLIENT_ID);
  const duid = clientId === undefined ? undefined : decodeDuid(clientId);
  if (peer === undefined) return { ok: false, reason: 'malformed', detail: `${source} is no IPv6 address` };
  if (duid?.ok === false) return { ok: false, reason: 'malformed', detail: duid.reason };
  const associations = readAssociations(decoded.value);
  if (!associations.ok) return associations;
  const mac = clientMac(decoded.value, peer);
  const vendorClasses = readDhcp6VendorClasses(options);
  const requested = readOptionRequest(options);
  const nearest = relays.at(-1)?.options ?? [];
  const remoteId = readDhcp6RemoteId(nearest);
  const vendorClass = vendorClasses.ok ? vendorClasses.value[0] : undefined;
  const uuid = duid?.value.kind === 'uuid' ? uuidOf(duid.value.bytes, isIpxe(options)) : undefined;
  return {
    ok: true,
    value: {
      message,
      relays,
      peer,
      duid: clientId === undefined ? undefined : duidText(clientId),
      mac,
      uuid,
      serverId: findDhcp6Option(options, Dhcp6OptionCode.SERVER_ID),
      associations: associations.value,
      requested: requested?.ok === true ? new Set(requested.value) : undefined,
      rapidCommit: findDhcp6Option(options, Dhcp6OptionCode.RAPID_COMMIT) !== undefined,
      vendorClass,
      boot: mac && bootRequestOf({ message, uuid, vendorClass }, mac),
      circuitId: relayIdText(findDhcp6Option(nearest, Dhcp6OptionCode.INTERFACE_ID)),
      remoteId: relayIdText(remoteId?.ok === true ? remoteId.value.id : undefined),
    },
  };
}

/** What it shows of itself as a boot client, with the NIC that it is known by. */
export function bootRequestOf(
  { message, uuid, vendorClass }: Pick<Dhcp6Request, 'message' | 'uuid' | 'vendorClass'>,
  mac: Mac,
): BootRequest {
  const archs = readDhcp6ClientArchs(message.options);
  const userClasses = readDhcp6UserClasses(message.options);
  return {
    mac,
    uuid,
    vendorClass: vendorClass?.classes[0],
    architectures: archs?.ok === true ? archs.value : [],
    userClasses: userClasses?.ok === true ? userClasses.value : [],
    // Option 175 has no sister in DHCPv6. An iPXE that was built with IPv6 was built with HTTP and its kernels.
    ipxeFeatures: isIpxe(message.options) ? IPXE_FEATURES : undefined,
  };
}

function isIpxe(options: readonly Dhcp6Option[]): boolean {
  const userClasses = readDhcp6UserClasses(options);
  return userClasses?.ok === true && userClasses.value.some((name) => name.toLowerCase() === 'ipxe');
}

const IPXE_FEATURES: ReadonlySet<number> = new Set([IpxeFeature.HTTP, IpxeFeature.BZIMAGE, IpxeFeature.EFI]);

function readAssociations({
  message,
}: Dhcp6Envelope):
  | { readonly ok: true; readonly value: RequestedAssociation[] }
  | Extract<ParsedDhcp6Request, { readonly ok: false }> {
  const associations = readIdentityAssociations(message.options);
  if (!associations.ok) return { ok: false, reason: 'malformed', detail: associations.reason };
  if (associations.value.length > MAX_ASSOCIATIONS) {
    const detail = `${associations.value.length} identity associations, at most ${MAX_ASSOCIATIONS} are served`;
    return { ok: false, reason: 'too-many-associations', detail };
  }
  const value: RequestedAssociation[] = [];
  for (const ia of associations.value) {
    const addresses = readIaAddresses(ia);
    if (!addresses.ok) return { ok: false, reason: 'malformed', detail: addresses.reason };
    value.push({ kind: ia.kind, iaid: ia.iaid, addresses: addresses.value.slice(0, MAX_ADDRESSES) });
  }
  return { ok: true, value };
}

/** EDK2 puts SMBIOS's bytes into a DUID-UUID as they are, first fields little-endian; iPXE keeps RFC 6355's order. */
function uuidOf(bytes: Uint8Array, isOfIpxe: boolean): string | undefined {
  const digits = hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const parsed = isOfIpxe ? parseMachineUuid(digits) : machineUuidOfBytes(bytes);
  return parsed.ok && !isUnsetUuid(parsed.value) ? parsed.value : undefined;
}

/** The address of `fe80::1%eth0`. */
function addressOf(source: string): Ipv6 | undefined {
  const parsed = parseIpv6(source.replace(/%.*$/, ''));
  return parsed.ok ? parsed.value : undefined;
}
