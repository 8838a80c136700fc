import {
  BootpOp,
  buildDhcp,
  bytesOfMac,
  decodeDhcp,
  encodeDhcp,
  machineUuidOption,
  messageTypeOption,
  parseIpv4,
  parseMac,
  parseMachineUuid,
  readOptions,
  textOption,
  uint16Option,
  type DhcpDraft,
  type DhcpOption,
  type DhcpPacket,
  type Ipv4,
  type Mac,
  type MessageType,
  type OptionMap,
} from '@ingot/wire';

export const UUID = '4b37128e-6e72-4a8d-87da-8ad4d775582c';
export const MAC_1 = '52:54:00:00:01:01';
export const MAC_2 = '52:54:00:00:01:02';

export function ip(text: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function mac(text: string): Mac {
  const parsed = parseMac(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** What a kind of client puts into its requests, as seen on the wire. */
export interface ClientKind {
  readonly options: readonly DhcpOption[];
  readonly flags: number;
}

const uuidOption = ((): DhcpOption => {
  const parsed = parseMachineUuid(UUID);
  if (!parsed.ok) throw new Error(parsed.reason);
  return machineUuidOption(parsed.value);
})();

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Option 175 of Debian's iPXE of 2019: `b105` bus id, `eb03` version, then features with 1 each. */
const IPXE_BIOS = hex('b105 01 1af4 1000 eb03 010000 17 01 01 22 01 01 13 01 01 11 01 01 15 01 01 18 01 01 1b 01 01');
const IPXE_EFI = hex('b105 01 1af4 1000 eb03 010000 17 01 01 24 01 01 13 01 01 11 01 01 15 01 01 27 01 01');

export type ClientName = 'biosRom' | 'biosIpxe' | 'edk2' | 'edk2Http' | 'efiIpxe' | 'udhcpc';

export const CLIENTS: Readonly<Record<ClientName, ClientKind>> = {
  biosRom: { flags: 0, options: [textOption(60, 'PXEClient:Arch:00000:UNDI:002001'), uint16Option(93, 0), uuidOption] },
  biosIpxe: {
    flags: 0,
    options: [
      textOption(60, 'PXEClient:Arch:00000:UNDI:002001'),
      uint16Option(93, 0),
      uuidOption,
      textOption(77, 'iPXE'),
      { code: 175, data: IPXE_BIOS },
    ],
  },
  edk2: {
    flags: 0x8000,
    options: [
      textOption(60, 'PXEClient:Arch:00007:UNDI:003000'),
      uint16Option(93, 7),
      uuidOption,
      uint16Option(57, 0xff00),
    ],
  },
  edk2Http: {
    flags: 0x8000,
    options: [textOption(60, 'HTTPClient:Arch:00016:UNDI:003000'), uint16Option(93, 16), uuidOption],
  },
  efiIpxe: {
    flags: 0,
    options: [
      textOption(60, 'PXEClient:Arch:00007:UNDI:003010'),
      uint16Option(93, 7),
      uuidOption,
      textOption(77, 'iPXE'),
      { code: 175, data: IPXE_EFI },
    ],
  },
  udhcpc: { flags: 0, options: [textOption(60, 'udhcp 1.35.0')] },
};

/** The bytes of a client's message. */
export function message(
  type: MessageType,
  client: { mac: string; kind: ClientKind; xid?: number } & Partial<Omit<DhcpDraft, 'op' | 'xid' | 'options'>>,
  options: readonly DhcpOption[] = [],
): Uint8Array {
  const { mac: text, kind, xid = 0x1234, ...header } = client;
  const built = buildDhcp({
    op: BootpOp.REQUEST,
    xid,
    flags: kind.flags,
    chaddr: bytesOfMac(mac(text)),
    options: [messageTypeOption(type), ...kind.options, ...options],
    ...header,
  });
  if (!built.ok) throw new Error(built.reason);
  return encodeDhcp(built.value);
}

/** A reply as a client reads it. */
export interface Reply {
  readonly packet: DhcpPacket;
  readonly options: OptionMap;
  readonly bytes: Uint8Array;
}

export function readReply(bytes: Uint8Array): Reply {
  const decoded = decodeDhcp(bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return { packet: decoded.value, options: readOptions(decoded.value), bytes };
}

/** The text of a NUL-filled header field. */
export function fieldText(field: Uint8Array): string {
  return Buffer.from(field).toString('latin1').replace(/\0.*$/s, '');
}
