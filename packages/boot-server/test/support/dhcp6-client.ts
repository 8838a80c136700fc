import type { MockHost } from '@ingot/net';
import {
  bytesOfIpv6,
  bytesOfLatin1,
  bytesOfMac,
  decodeDhcp6Envelope,
  Dhcp6MessageType,
  Dhcp6OptionCode,
  dhcp6Uint16sOption,
  dhcp6UserClassOption,
  dhcp6VendorClassOption,
  encodeDhcp6,
  findDhcp6Option,
  iaAddressOption,
  identityAssociationOption,
  parseIpv6,
  parseMac,
  readBootFileUrl,
  readDhcp6Status,
  readIaAddresses,
  readIdentityAssociations,
  type Dhcp6Envelope,
  type Dhcp6Option,
  type Ipv6,
} from '@ingot/wire';
import type { BootServerConfig } from '../../src/config.ts';
import type { Dhcp6Config, Subnet6Config } from '../../src/config/dhcp6.ts';
import { testConfig } from './config.ts';
import { MAC_1, UUID } from './dhcp-messages.ts';
import { startLab, type Lab } from './lab.ts';

const SERVER6 = '2001:db8::1';

export function ip6(text: string): Ipv6 {
  const parsed = parseIpv6(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

export function subnet6Config(change: Partial<Subnet6Config> = {}): Subnet6Config {
  return {
    subnet: '2001:db8:1::/64',
    mode: 'server',
    pool: '2001:db8:1::1000-2001:db8:1::1fff',
    reservations: [],
    dnsServers: ['2001:db8::53'],
    domains: ['rack.example'],
    ntpServers: ['2001:db8::123'],
    preferredSeconds: 600,
    validSeconds: 1_200,
    rapidCommit: true,
    ...change,
  };
}

/** The network of the own link `rack`, and one behind relays. */
export const BOTH: readonly Subnet6Config[] = [
  subnet6Config({ subnet: '2001:db8:0:1::/64', interface: 'rack', pool: '2001:db8:0:1::1000-2001:db8:0:1::1fff' }),
  subnet6Config(),
];

export function dhcp6Config(change: Partial<Dhcp6Config> = {}): Dhcp6Config {
  return { listen: [SERVER6], relays: [], httpUrl: `http://[${SERVER6}]:8080`, subnets: BOTH, ...change };
}

export function startLab6(change: Partial<Dhcp6Config> = {}, dataDir?: string): Promise<Lab> {
  const config = (dir: string): BootServerConfig => testConfig(dir, { dhcp6: dhcp6Config(change) });
  return startLab(dataDir === undefined ? { config } : { config, dataDir });
}

/** A DUID-LL of this NIC. */
export function duidOf(mac: string): Uint8Array {
  const parsed = parseMac(mac);
  if (!parsed.ok) throw new Error(parsed.reason);
  return Uint8Array.of(0, 3, 0, 1, ...bytesOfMac(parsed.value));
}

/** EDK2's: SMBIOS's bytes, first fields little-endian. */
export const EDK2_DUID: Uint8Array = Uint8Array.from(Buffer.from('00048e12374b726e8d4a87da8ad4d775582c', 'hex'));
/** iPXE's: the same UUID in network order. */
export const IPXE_DUID: Uint8Array = Uint8Array.from(Buffer.from(`0004${UUID.replaceAll('-', '')}`, 'hex'));
/** fe80::5054:ff:fe00:101, made of MAC_1. */
export const EUI64_1 = 'fe80::5054:ff:fe00:101';

const ascii = bytesOfLatin1;
export const EDK2_PXE: readonly Dhcp6Option[] = [
  dhcp6VendorClassOption(343, [ascii('PXEClient:Arch:00007:UNDI:003000')]),
  dhcp6Uint16sOption(Dhcp6OptionCode.CLIENT_ARCH, [7]),
];
export const EDK2_HTTP: readonly Dhcp6Option[] = [
  dhcp6VendorClassOption(343, [ascii('HTTPClient:Arch:00016:UNDI:003000')]),
  dhcp6Uint16sOption(Dhcp6OptionCode.CLIENT_ARCH, [16]),
];
export const IPXE: readonly Dhcp6Option[] = [
  dhcp6UserClassOption([ascii('iPXE')]),
  dhcp6VendorClassOption(343, [ascii('PXEClient:Arch:00007:UNDI:003010')]),
  dhcp6Uint16sOption(Dhcp6OptionCode.CLIENT_ARCH, [7]),
];

/** An IA_NA that names addresses, or none. */
export function iaNa(iaid: number, ...addresses: string[]): Dhcp6Option {
  const options = addresses.map((address) =>
    iaAddressOption({ address: ip6(address), preferredLifetime: 0, validLifetime: 0, options: [] }),
  );
  return identityAssociationOption({ kind: 'na', iaid, t1: 0, t2: 0, options });
}

export function message6(type: number, options: readonly Dhcp6Option[]): Uint8Array {
  return encodeDhcp6({ kind: 'message', type, transactionId: 0x10203, options });
}

/** RELAY-FORW of `inner` by a relay on `link`, for the client at `peer`. */
export function relayed6(
  inner: Uint8Array,
  relay: { link: string; peer?: string; hopCount?: number; options?: readonly Dhcp6Option[] },
): Uint8Array {
  return encodeDhcp6({
    kind: 'relay',
    type: Dhcp6MessageType.RELAY_FORW,
    hopCount: relay.hopCount ?? 0,
    linkAddress: ip6(relay.link),
    peerAddress: ip6(relay.peer ?? EUI64_1),
    options: [...(relay.options ?? []), { code: Dhcp6OptionCode.RELAY_MESSAGE, data: inner }],
  });
}

/** A reply as a client reads it. */
export interface Reply6 extends Dhcp6Envelope {
  readonly type: number;
  readonly options: readonly Dhcp6Option[];
  readonly addresses: readonly string[];
  /** Those that it must not use any longer. */
  readonly dropped: readonly string[];
  /** Status codes of the message and of each IA; 0 is Success, undefined is none. */
  readonly statuses: readonly (number | undefined)[];
  readonly url: string | undefined;
  readonly serverId: Uint8Array;
}

export function readReply6(data: Uint8Array): Reply6 {
  const decoded = decodeDhcp6Envelope(data);
  if (!decoded.ok) throw new Error(decoded.reason);
  const { options, type } = decoded.value.message;
  const associations = readIdentityAssociations(options);
  if (!associations.ok) throw new Error(associations.reason);
  const named = associations.value.flatMap((ia) => {
    const addresses = readIaAddresses(ia);
    return addresses.ok ? addresses.value : [];
  });
  const url = readBootFileUrl(options);
  const status = (of: readonly Dhcp6Option[]): number | undefined => {
    const read = readDhcp6Status(of);
    return read?.ok === true ? read.value.code : undefined;
  };
  return {
    ...decoded.value,
    type,
    options,
    addresses: named.filter(({ validLifetime }) => validLifetime > 0).map(({ address }) => address),
    dropped: named.filter(({ validLifetime }) => validLifetime === 0).map(({ address }) => address),
    statuses: [status(options), ...associations.value.map((ia) => status(ia.options))],
    url: url?.ok === true ? url.value : undefined,
    serverId: findDhcp6Option(options, Dhcp6OptionCode.SERVER_ID) ?? new Uint8Array(),
  };
}

export interface Client6 {
  readonly host: MockHost;
  readonly heard: Reply6[];
  /** Sends and returns what came of it at once. */
  ask(type: number, options: readonly Dhcp6Option[]): Promise<Reply6 | undefined>;
  send(data: Uint8Array, to?: string): Promise<Reply6 | undefined>;
}

/** A client on the server's own link `rack`. */
export async function localClient6(lab: Lab, address = `${EUI64_1}%rack`): Promise<Client6> {
  return speaker(lab, lab.network.host(`client ${address}`, address), 546, 'ff02::1:2%rack');
}

/** A relay of one network, which sends to the server's own address; clients are behind it. */
export async function relay6(
  lab: Lab,
  relay: { link: string; peer?: string; options?: readonly Dhcp6Option[]; own?: string },
): Promise<Client6> {
  const own = relay.own ?? '2001:db8::99';
  const made = await speaker(lab, lab.network.host(`relay ${own}`, own), 547, SERVER6);
  return { ...made, ask: (type, options) => made.send(relayed6(message6(type, options), relay)) };
}

/** A client that asks the boot service, from the address that another server leased it. */
export function bootServiceClient6(lab: Lab, address: string): Promise<Client6> {
  return speaker(lab, lab.network.host(`client ${address}`, address), 4011, SERVER6, 4011);
}

async function speaker(
  lab: Lab,
  host: MockHost,
  port: number,
  server: string,
  serverPort: number = 547,
): Promise<Client6> {
  const socket = await host.bindUdp({ address: '::', port });
  const heard: Reply6[] = [];
  socket.onDatagram(({ data }) => heard.push(readReply6(data)));
  const send = async (data: Uint8Array, to = server): Promise<Reply6 | undefined> => {
    const before = heard.length;
    await socket.send(data, { address: to, port: serverPort });
    // EDK2 is not ready for an answer at once.
    await lab.clock.advance(serverPort === 547 ? 0 : 200);
    return heard[before];
  };
  return { host, heard, send, ask: (type, options) => send(message6(type, options)) };
}

export function clientId(duid: Uint8Array = duidOf(MAC_1)): Dhcp6Option {
  return { code: Dhcp6OptionCode.CLIENT_ID, data: duid };
}

export function serverId(reply: Reply6): Dhcp6Option {
  return { code: Dhcp6OptionCode.SERVER_ID, data: reply.serverId };
}

/** The bytes of option 23 that the tests' networks tell. */
export const DNS: Uint8Array = bytesOfIpv6(ip6('2001:db8::53'));

/** SOLICIT, then REQUEST of what was advertised: the REPLY. */
export async function lease6(
  client: Client6,
  duid: Uint8Array = duidOf(MAC_1),
  more: readonly Dhcp6Option[] = [],
): Promise<Reply6> {
  const advertise = await client.ask(Dhcp6MessageType.SOLICIT, [clientId(duid), iaNa(1), ...more]);
  if (advertise === undefined) throw new Error('no advertise');
  const reply = await client.ask(Dhcp6MessageType.REQUEST, [
    clientId(duid),
    serverId(advertise),
    iaNa(1, ...advertise.addresses),
    ...more,
  ]);
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

export function drops6(lab: Lab, reason: string): Promise<number> {
  return lab.drops('dhcp6', reason);
}
