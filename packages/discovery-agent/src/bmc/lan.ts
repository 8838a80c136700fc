import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';

const getChannelInfo: IpmiCommand = { name: 'Get Channel Info', netFn: 0x06, command: 0x42 };
const getChannelAccess: IpmiCommand = { name: 'Get Channel Access', netFn: 0x06, command: 0x41 };
const getLanParameter: IpmiCommand = { name: 'Get LAN Configuration Parameters', netFn: 0x0c, command: 0x02 };

/** A channel of the BMC that is a LAN, with what it is set to. */
export interface LanChannel {
  readonly channel: number;
  /** `0c:42:a1:00:00:10`; undefined when the BMC shows none that could be one. */
  readonly mac: string | undefined;
  /** Address that other machines can reach; undefined when it has none (yet). */
  readonly ipv4: string | undefined;
  /** The same; canonical, static ones first, none of link scope. */
  readonly ipv6: readonly string[];
  /** It gets its IPv4 address by DHCP, and may still do so. */
  readonly usesDhcp: boolean;
}

/** Channels that a vendor may choose the use of (IPMI 2.0, 6.3). */
const firstChannel = 0x01;
const lastChannel = 0x0b;
const channelOfOldBmcs = 1;
/** IPMI 2.0, table 6-3: 802.3, and other LANs. */
const lanMedia: readonly number[] = [0x04, 0x06];

/** IPMI 2.0, table 23-4. */
const Parameter = {
  IpAddress: 3,
  IpAddressSource: 4,
  MacAddress: 5,
  Ipv6Enables: 51,
  Ipv6Status: 55,
  Ipv6StaticAddress: 56,
  Ipv6DynamicAddress: 59,
} as const;

const addressByDhcp = 2;

/** All LANs of the BMC: some boards have a port of its own beside one that it shares with the host. */
export async function readLanChannels(session: IpmiSession): Promise<readonly LanChannel[]> {
  const numbers: number[] = [];
  for (let channel = firstChannel; channel <= lastChannel; channel++) {
    const info = await unlessRefused(session.ask(getChannelInfo, [channel], 2));
    if (info !== undefined && lanMedia.includes((info[1] ?? 0) & 0x7f)) numbers.push(channel);
  }
  // Not every BMC of the time of IPMI 1.5 can say what its channels are.
  if (numbers.length === 0) numbers.push(channelOfOldBmcs);
  const channels: LanChannel[] = [];
  for (const channel of numbers) {
    const mac = await readParameter(session, channel, Parameter.MacAddress);
    const ipv4 = await readParameter(session, channel, Parameter.IpAddress);
    const source = await readParameter(session, channel, Parameter.IpAddressSource);
    const ipv6 = await readIpv6(session, channel);
    const usesDhcp = ((source?.[0] ?? 0) & 0x0f) === addressByDhcp;
    channels.push({ channel, mac: mac && macOf(mac), ipv4: ipv4 && ipv4Of(ipv4), ipv6, usesDhcp });
  }
  return channels;
}

/** The channel to be registered: the first one that can be reached, IPv4 before IPv6. */
export function reachableLan(channels: readonly LanChannel[]): (LanChannel & { readonly mac: string }) | undefined {
  const named = channels.flatMap((channel) => (channel.mac === undefined ? [] : [{ ...channel, mac: channel.mac }]));
  return named.find(({ ipv4 }) => ipv4 !== undefined) ?? named.find(({ ipv6 }) => ipv6.length > 0);
}

const storedSettings = 0x40;
const administrator = 4;

/** What keeps administrators out of this channel for good, in words: some vendors ship their BMCs so (IPMI 2.0, 22.23). */
export async function closedDoors(session: IpmiSession, channel: number): Promise<readonly string[]> {
  const access = await unlessRefused(session.ask(getChannelAccess, [channel, storedSettings], 2));
  const [mode = 0, limit = 0] = access ?? [];
  if (access === undefined) return [];
  const where = `on the BMC's LAN channel ${channel}`;
  if ((mode & 0x07) === 0) return [`IPMI over LAN is switched off ${where}; switch it on in the BMC's settings`];
  return (limit & 0x0f) < administrator ? [`nobody may be administrator ${where}; see the BMC's settings`] : [];
}

/** IPMI 2.0 with errata 7 ("IPv6"), table 23-4, parameters 50 to 60; most BMCs do not have them. */
async function readIpv6(session: IpmiSession, channel: number): Promise<readonly string[]> {
  const enables = await readParameter(session, channel, Parameter.Ipv6Enables);
  if (enables?.[0] === undefined || enables[0] === 0) return [];
  const status = await readParameter(session, channel, Parameter.Ipv6Status);
  const addresses: string[] = [];
  for (const [parameter, count] of [
    [Parameter.Ipv6StaticAddress, status?.[0] ?? 0],
    [Parameter.Ipv6DynamicAddress, status?.[1] ?? 0],
  ] as const) {
    for (let set = 0; set < Math.min(count, maxIpv6Addresses); set++) {
      const entry = await readParameter(session, channel, parameter, set);
      const address = entry && ipv6Of(entry, parameter === Parameter.Ipv6StaticAddress);
      if (address !== undefined && !addresses.includes(address)) addresses.push(address);
    }
  }
  return addresses;
}

const maxIpv6Addresses = 16;

/** Undefined when the BMC has no such parameter. */
async function readParameter(
  session: IpmiSession,
  channel: number,
  parameter: number,
  set = 0,
): Promise<Uint8Array | undefined> {
  const response = await unlessRefused(session.ask(getLanParameter, [channel, parameter, set, 0], 1));
  // The parameter's revision comes first.
  return response?.subarray(1);
}

async function unlessRefused(response: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof IpmiError && error.isFinal) return undefined;
    throw error;
  }
}

function macOf(bytes: Uint8Array): string | undefined {
  const mac = bytes.subarray(0, 6);
  const isGroup = ((mac[0] ?? 0) & 0x01) === 1;
  if (mac.length < 6 || isGroup || mac.every((byte) => byte === 0)) return undefined;
  return [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Not: this network, loopback, link-local, multicast and reserved addresses. */
function ipv4Of(bytes: Uint8Array): string | undefined {
  const [a = 0, b = 0] = bytes;
  if (bytes.length < 4 || a === 0 || a === 127 || (a === 169 && b === 254) || a >= 224) return undefined;
  return bytes.subarray(0, 4).join('.');
}

/** Set selector, source (its top bit enables a static address), 16 bytes of address, prefix length, status (0: active). */
function ipv6Of(entry: Uint8Array, isStatic: boolean): string | undefined {
  const [, source = 0] = entry;
  const address = entry.subarray(2, 18);
  const [a = 0, b = 0] = address;
  const isUsable = entry.length >= 20 && entry[19] === 0 && (!isStatic || source >= 0x80);
  // Global and unique local addresses; not fe80::/10, ::1, or multicast.
  if (!isUsable || !((a & 0xe0) === 0x20 || (a & 0xfe) === 0xfc) || (a === 0xfe && b >= 0x80)) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[2 * index] ?? 0) << 8) | (address[2 * index + 1] ?? 0)).toString(16),
  );
  // A URL has its host in the shortest form (RFC 5952), in brackets.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
