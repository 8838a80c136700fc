import {
  BootpOp,
  buildDhcp,
  bytesOfIpv4,
  bytesOfLatin1,
  bytesOfMac,
  clientArch,
  encodeDhcp,
  encodeSubOptions,
  FLAG_BROADCAST,
  IPV4_ANY,
  ipxeOption,
  IpxeFeature,
  machineUuidOption,
  messageTypeOption,
  MessageType,
  OptionCode,
  parseIpv4,
  parseMac,
  parseMachineUuid,
  RelayAgentCode,
  textOption,
  uint16Option,
  type DhcpOption,
  type Ipv4,
  type SubOption,
} from '@ingot/wire';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { SimulateRequest } from './wire.ts';

/** How a machine shows itself in one stage of its boot. */
export interface Asker {
  readonly mac: string;
  readonly arch: number;
  readonly uuid: string | undefined;
  readonly vendorClass: string;
  readonly userClass: string | undefined;
  readonly hostname: string | undefined;
  /** Numbers of `IpxeFeature`; undefined: no option 175. */
  readonly features: readonly number[] | undefined;
  readonly giaddr: Ipv4;
  /** Own address on its link; undefined: the one that is served without a relay. */
  readonly link: Ipv4 | undefined;
  readonly relayAgent: DhcpOption | undefined;
}

/** As it is described; throws BootServerError ADMIN_REFUSED for what nobody can send. */
export function askerOf(request: SimulateRequest): Asker {
  const { arch, circuitId, remoteId, linkSelection, serverIdOverride, userClass } = request;
  const mac = accept(parseMac(request.mac), 'mac');
  const uuid = request.uuid === undefined ? undefined : accept(parseMachineUuid(request.uuid), 'uuid');
  const giaddr = request.giaddr === undefined ? IPV4_ANY : accept(parseIpv4(request.giaddr), 'giaddr');
  const agent = [
    ...(circuitId === undefined ? [] : [{ code: RelayAgentCode.CIRCUIT_ID, data: idBytes(circuitId) }]),
    ...(remoteId === undefined ? [] : [{ code: RelayAgentCode.REMOTE_ID, data: idBytes(remoteId) }]),
    ...addressOf(RelayAgentCode.LINK_SELECTION, linkSelection, 'linkSelection'),
    ...addressOf(RelayAgentCode.SERVER_ID_OVERRIDE, serverIdOverride, 'serverIdOverride'),
  ];
  const isIpxe = userClass?.toLowerCase() === 'ipxe';
  const named = request.features?.map(featureOf);
  return {
    mac,
    arch,
    uuid,
    vendorClass: request.vendorClass ?? vendorClassOf(arch),
    userClass,
    hostname: request.hostname,
    features: named ?? (isIpxe ? stockFeatures(arch) : undefined),
    giaddr,
    link: request.link === undefined ? undefined : accept(parseIpv4(request.link), 'link'),
    relayAgent:
      agent.length === 0 ? undefined : { code: OptionCode.RELAY_AGENT, data: encodeSubOptions(agent, 'plain') },
  };
}

/** The same machine once it runs the iPXE that it was given. */
export function asIpxe(asker: Asker): Asker {
  return { ...asker, userClass: 'iPXE', features: stockFeatures(asker.arch) };
}

/** The bytes of its message. */
export function messageOf(
  type: MessageType,
  asker: Asker,
  more: { readonly ciaddr?: Ipv4; readonly options?: readonly DhcpOption[] } = {},
): Uint8Array {
  const { mac, arch, uuid, vendorClass, userClass, hostname, features, giaddr, relayAgent } = asker;
  const built = buildDhcp({
    op: BootpOp.REQUEST,
    xid: 1,
    flags: FLAG_BROADCAST,
    chaddr: bytesOfMac(accept(parseMac(mac), 'mac')),
    giaddr,
    ciaddr: more.ciaddr ?? IPV4_ANY,
    options: [
      messageTypeOption(type),
      { code: OptionCode.PARAMETER_LIST, data: ASKED_FOR },
      ...(vendorClass === '' ? [] : [textOption(OptionCode.VENDOR_CLASS, vendorClass)]),
      ...(vendorClass === '' ? [] : [uint16Option(OptionCode.CLIENT_ARCH, arch)]),
      ...(userClass === undefined ? [] : [textOption(OptionCode.USER_CLASS, userClass)]),
      ...(hostname === undefined ? [] : [textOption(OptionCode.HOST_NAME, hostname)]),
      ...(uuid === undefined ? [] : [machineUuidOption(accept(parseMachineUuid(uuid), 'uuid'))]),
      ...(features === undefined ? [] : [ipxeOption(features.map((code) => ({ code, data: Uint8Array.of(1) })))]),
      ...(more.options ?? []),
      // RFC 3046: last.
      ...(relayAgent === undefined ? [] : [relayAgent]),
    ],
  });
  if (!built.ok)
    throw new BootServerError(BootServerErrorCode.AdminRefused, `no packet can hold that: ${built.reason}`);
  return encodeDhcp(built.value);
}

/** Options 50 and 54: the machine takes an offer. */
export function selecting(address: Ipv4, server: Ipv4): DhcpOption[] {
  return [
    { code: OptionCode.REQUESTED_ADDRESS, data: bytesOfIpv4(address) },
    { code: OptionCode.SERVER_ID, data: bytesOfIpv4(server) },
  ];
}

/** What EDK2 and iPXE ask for, and what else a reply may have. */
const ASKED_FOR = Uint8Array.of(
  1,
  2,
  3,
  6,
  7,
  12,
  15,
  17,
  26,
  28,
  42,
  43,
  51,
  54,
  58,
  59,
  60,
  66,
  67,
  97,
  119,
  121,
  150,
);

function vendorClassOf(arch: number): string {
  const what = clientArch(arch).httpBoot ? 'HTTPClient' : 'PXEClient';
  return `${what}:Arch:${String(arch).padStart(5, '0')}:UNDI:003000`;
}

/** What a stock iPXE can do: HTTP, and the kernel format of its platform. */
function stockFeatures(arch: number): readonly number[] {
  const kernel = clientArch(arch).firmware === 'bios' ? IpxeFeature.BZIMAGE : IpxeFeature.EFI;
  return [IpxeFeature.DNS, IpxeFeature.HTTP, IpxeFeature.TFTP, IpxeFeature.MENU, kernel];
}

function featureOf(name: string): number {
  const found = Object.entries(IpxeFeature).find(([each]) => each === name.toUpperCase().replaceAll('-', '_'));
  if (found !== undefined) return found[1];
  const known = Object.keys(IpxeFeature).map((each) => each.toLowerCase());
  throw new BootServerError(
    BootServerErrorCode.AdminRefused,
    `iPXE has no feature ${name}; it has ${known.join(', ')}`,
  );
}

function addressOf(code: number, text: string | undefined, what: string): SubOption[] {
  return text === undefined ? [] : [{ code, data: bytesOfIpv4(accept(parseIpv4(text), what)) }];
}

/** Text, or `0x` and hex digits. */
function idBytes(id: string): Uint8Array {
  if (/^0x(?:[0-9a-f]{2})+$/i.test(id)) return Uint8Array.from(Buffer.from(id.slice(2), 'hex'));
  if (/^[\x20-\x7e]+$/.test(id)) return bytesOfLatin1(id);
  throw new BootServerError(BootServerErrorCode.AdminRefused, `${id}: write text, or 0x and hex digits`);
}

function accept<T>(
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string },
  what: string,
): T {
  if (parsed.ok) return parsed.value;
  throw new BootServerError(BootServerErrorCode.AdminRefused, `${what}: ${parsed.reason}`);
}
