import {
  bytesOfIpv4,
  concatBytes,
  encodeClasslessRoutes,
  encodeDomainSearch,
  ipv4OfNumber,
  ipv4Option,
  OptionCode,
  parseIpv4,
  parseIpv4Subnet,
  textOption,
  uint16Option,
  type ClasslessRoute,
  type DhcpOption,
  type Ipv4,
} from '@ingot/wire';
import type { NetworkOptionsConfig, RawOptionConfig } from '../config/dhcp.ts';
import { broadcastOf, type Ipv4Network } from '../ipv4.ts';

/** An option of a network or a reservation, made once at the start. */
export interface PlannedOption extends DhcpOption {
  /** Sent whether or not the client's parameter list (option 55) names it. */
  readonly always: boolean;
}

/**
 * What clients are told of their network. Mask, routers, name and time servers go to everybody: firmware leaves out of
 * its list what it uses, EDK2 fills part of it with rubbish. What only an operating system wants goes to those who ask
 * for it, so that the reply stays within the 548 bytes that the smallest client takes.
 *
 * Throws an Error with what is wrong in words.
 */
export function planOptions(network: Ipv4Network, config: NetworkOptionsConfig): PlannedOption[] {
  const { routers = [], dnsServers = [], ntpServers = [], domainName, domainSearch = [], routes = [], mtu } = config;
  return [
    always(ipv4Option(OptionCode.SUBNET_MASK, ipv4OfNumber(network.mask))),
    always(ipv4Option(OptionCode.BROADCAST_ADDRESS, ipv4OfNumber(broadcastOf(network)))),
    ...addresses(OptionCode.ROUTERS, routers),
    ...addresses(OptionCode.DNS_SERVERS, dnsServers),
    ...(domainName === undefined ? [] : [always(textOption(OptionCode.DOMAIN_NAME, domainName))]),
    ...addresses(OptionCode.NTP_SERVERS, ntpServers),
    ...(mtu === undefined ? [] : [ifAsked(uint16Option(OptionCode.INTERFACE_MTU, mtu))]),
    ...(domainSearch.length === 0 ? [] : [ifAsked({ code: OptionCode.DOMAIN_SEARCH, data: searchList(domainSearch) })]),
    ...(routes.length === 0 ? [] : [ifAsked({ code: OptionCode.CLASSLESS_ROUTES, data: routeList(routes, routers) })]),
    ...planRawOptions(config.options ?? []),
  ];
}

/** The options of a reservation in place of its network's, code by code. */
export function overrideOptions(base: readonly PlannedOption[], own: readonly PlannedOption[]): PlannedOption[] {
  const codes = new Set(own.map(({ code }) => code));
  return [...base.filter(({ code }) => !codes.has(code)), ...own];
}

/** What the reservation itself says: mask and broadcast address stay the network's. */
export function planOwnOptions(network: Ipv4Network, config: NetworkOptionsConfig): PlannedOption[] {
  return planOptions(network, config).filter(
    ({ code }) => code !== OptionCode.SUBNET_MASK && code !== OptionCode.BROADCAST_ADDRESS,
  );
}

function always(option: DhcpOption): PlannedOption {
  return { ...option, always: true };
}

function ifAsked(option: DhcpOption): PlannedOption {
  return { ...option, always: false };
}

function addresses(code: number, texts: readonly string[]): PlannedOption[] {
  return texts.length === 0 ? [] : [always(ipv4Option(code, ...texts.map(address)))];
}

function address(text: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function searchList(names: readonly string[]): Uint8Array {
  const encoded = encodeDomainSearch(names);
  if (!encoded.ok) throw new Error(`domainSearch: ${encoded.reason}`);
  return encoded.value;
}

/**
 * RFC 3442: a client that gets option 121 ignores option 3, so "administrators … should specify the default router in
 * both". We do it for them, unless they gave a default route themselves.
 */
function routeList(routes: readonly { to: string; via: string }[], routers: readonly string[]): Uint8Array {
  const list: ClasslessRoute[] = routes.map(({ to, via }) => {
    const destination = parseIpv4Subnet(to);
    if (!destination.ok) throw new Error(`routes: ${destination.reason}`);
    return { destination: destination.value, router: address(via) };
  });
  const hasDefault = list.some(({ destination }) => destination.prefixLength === 0);
  const byDefault = parseIpv4Subnet('0.0.0.0/0');
  if (!hasDefault && byDefault.ok) {
    for (const router of routers) list.push({ destination: byDefault.value, router: address(router) });
  }
  return encodeClasslessRoutes(list);
}

/** What the server decides itself, or has a setting of its own for. */
const RESERVED: ReadonlyMap<number, string> = new Map([
  [OptionCode.PAD, 'it is no option'],
  [OptionCode.END, 'it is no option'],
  [OptionCode.SUBNET_MASK, 'it follows from subnet'],
  [OptionCode.BROADCAST_ADDRESS, 'it follows from subnet'],
  [OptionCode.ROUTERS, 'write routers'],
  [OptionCode.DNS_SERVERS, 'write dnsServers'],
  [OptionCode.DOMAIN_NAME, 'write domainName'],
  [OptionCode.INTERFACE_MTU, 'write mtu'],
  [OptionCode.NTP_SERVERS, 'write ntpServers'],
  [OptionCode.DOMAIN_SEARCH, 'write domainSearch'],
  [OptionCode.CLASSLESS_ROUTES, 'write routes'],
  [OptionCode.LEASE_TIME, 'write leaseSeconds'],
  [OptionCode.RENEWAL_TIME, 'it follows from leaseSeconds'],
  [OptionCode.REBINDING_TIME, 'it follows from leaseSeconds'],
  ...[
    OptionCode.REQUESTED_ADDRESS,
    OptionCode.OVERLOAD,
    OptionCode.MESSAGE_TYPE,
    OptionCode.SERVER_ID,
    OptionCode.PARAMETER_LIST,
    OptionCode.MESSAGE,
    OptionCode.MAX_MESSAGE_SIZE,
    OptionCode.CLIENT_ID,
    OptionCode.RELAY_AGENT,
    OptionCode.CLIENT_ARCH,
    OptionCode.CLIENT_INTERFACE,
    OptionCode.CLIENT_MACHINE_ID,
    OptionCode.SUBNET_SELECTION,
  ].map((code): [number, string] => [code, 'the protocol itself says what stands there']),
  ...[
    OptionCode.VENDOR_SPECIFIC,
    OptionCode.VENDOR_CLASS,
    OptionCode.TFTP_SERVER_NAME,
    OptionCode.BOOT_FILE_NAME,
    OptionCode.IPXE,
  ].map((code): [number, string] => [code, 'the boot server decides it for each client']),
]);

function planRawOptions(configs: readonly RawOptionConfig[]): PlannedOption[] {
  const seen = new Set<number>();
  return configs.map((config) => {
    const { code } = config;
    const clash = RESERVED.get(code);
    if (clash !== undefined) throw new Error(`options: ${code} cannot be set here: ${clash}`);
    if (seen.has(code)) throw new Error(`options: ${code} stands there twice`);
    seen.add(code);
    return { code, data: rawValue(config), always: config.always };
  });
}

function rawValue(config: RawOptionConfig): Uint8Array {
  const { code, hex, text, addresses: list, uint8, uint16, uint32 } = config;
  const given = [hex, text, list, uint8, uint16, uint32].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw new Error(
      `options: ${code} takes one of hex, text, addresses, uint8, uint16 and uint32, not ${given.length}`,
    );
  if (hex !== undefined) return Uint8Array.from(Buffer.from(hex.replaceAll(/[\s:]/g, ''), 'hex'));
  if (text !== undefined) return textOption(code, text).data;
  if (list !== undefined) return concatBytes(list.map((each) => bytesOfIpv4(address(each))));
  const bytes = Buffer.alloc(uint8 === undefined ? (uint16 === undefined ? 4 : 2) : 1);
  bytes.writeUIntBE(uint8 ?? uint16 ?? uint32 ?? 0, 0, bytes.length);
  return Uint8Array.from(bytes);
}
