import { byteAt, concatBytes } from '../bytes.ts';
import { Cursor, setUint16 } from '../cursor.ts';
import { OptionCode } from '../dhcp/option-code.ts';
import type { OptionMap } from '../dhcp/option-map.ts';
import type { DhcpOption } from '../dhcp/packet.ts';
import { decodeSubOptions, encodeSubOptions, findSubOption } from '../dhcp/sub-options.ts';
import type { SubOption } from '../dhcp/sub-options.ts';
import { bytesOfIpv4, ipv4At, ipv4OfBytes } from '../ipv4.ts';
import type { Ipv4 } from '../ipv4.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Read } from '../result.ts';
import { bytesOfUtf8, utf8 } from '../text.ts';

/** Sub-options of option 43 under vendor class PXEClient: PXE specification 2.1, table 2-2. */
export const PxeVendorCode = {
  MTFTP_ADDRESS: 1,
  MTFTP_CLIENT_PORT: 2,
  MTFTP_SERVER_PORT: 3,
  MTFTP_TIMEOUT: 4,
  MTFTP_DELAY: 5,
  DISCOVERY_CONTROL: 6,
  DISCOVERY_MULTICAST: 7,
  BOOT_SERVERS: 8,
  BOOT_MENU: 9,
  MENU_PROMPT: 10,
  MULTICAST_ALTERNATIVES: 11,
  CREDENTIAL_TYPES: 12,
  BOOT_ITEM: 71,
} as const;

/** Bits of discovery control. */
export const DiscoveryControl = {
  NO_BROADCAST: 1,
  NO_MULTICAST: 2,
  ONLY_LISTED_SERVERS: 4,
  /** Load the boot file of this very offer, ask no boot server. */
  USE_BOOT_FILE: 8,
} as const;

export interface PxeBootServers {
  /** 0 = PXE bootstrap, 1–0x7fff known products, above that vendors' own. */
  readonly type: number;
  readonly addresses: readonly Ipv4[];
}

export interface PxeMenuItem {
  readonly type: number;
  readonly description: string;
}

/** Sub-option 10: wait `timeoutSeconds` (0 = take the first item, 255 = for ever) under `text`. */
export interface PxeMenuPrompt {
  readonly timeoutSeconds: number;
  readonly text: string;
}

/** Sub-option 71: the chosen boot server type and layer; bit 15 of the layer asks for credentials. */
export interface PxeBootItem {
  readonly type: number;
  readonly layer: number;
}

/** Option 43 under vendor class PXEClient. Absent sub-options are absent here. */
export interface PxeVendorOptions {
  readonly discoveryControl?: number;
  readonly discoveryMulticast?: Ipv4;
  readonly bootServers?: readonly PxeBootServers[];
  readonly menu?: readonly PxeMenuItem[];
  readonly prompt?: PxeMenuPrompt;
  readonly bootItem?: PxeBootItem;
  /** Those without a field above, in order: MTFTP, credentials, Raspberry Pi's, a vendor's own. */
  readonly others?: readonly SubOption[];
}

/** Option 43; only meaningful where option 60 says PXEClient. */
export function readPxeVendorOptions(options: OptionMap): Read<PxeVendorOptions> {
  const data = options.get(OptionCode.VENDOR_SPECIFIC);
  return data === undefined ? undefined : decodePxeVendorOptions(data);
}

const TYPED: readonly number[] = [6, 7, 8, 9, 10, 71];

/** The value of option 43. A refusal's offset counts within the sub-option that `reason` names. */
export function decodePxeVendorOptions(data: Uint8Array): Decoded<PxeVendorOptions> {
  const decoded = decodeSubOptions(data, 'padded');
  if (!decoded.ok) return decoded;
  const control = typed(decoded.value, PxeVendorCode.DISCOVERY_CONTROL, exactly(1, byteAt));
  if (control?.ok === false) return control;
  const multicast = typed(decoded.value, PxeVendorCode.DISCOVERY_MULTICAST, ipv4OfBytes);
  if (multicast?.ok === false) return multicast;
  const servers = typed(decoded.value, PxeVendorCode.BOOT_SERVERS, decodeBootServers);
  if (servers?.ok === false) return servers;
  const menu = typed(decoded.value, PxeVendorCode.BOOT_MENU, decodeMenu);
  if (menu?.ok === false) return menu;
  const prompt = typed(decoded.value, PxeVendorCode.MENU_PROMPT, decodePrompt);
  if (prompt?.ok === false) return prompt;
  const item = typed(decoded.value, PxeVendorCode.BOOT_ITEM, decodeBootItem);
  if (item?.ok === false) return item;
  const others = decoded.value.filter(({ code }) => !TYPED.includes(code));
  return accept({
    ...(control && { discoveryControl: control.value }),
    ...(multicast && { discoveryMulticast: multicast.value }),
    ...(servers && { bootServers: servers.value }),
    ...(menu && { menu: menu.value }),
    ...(prompt && { prompt: prompt.value }),
    ...(item && { bootItem: item.value }),
    ...(others.length > 0 && { others }),
  });
}

/**
 * Option 43 with its END.
 *
 * @throws RangeError if a sub-option is longer than 255 bytes.
 */
export function pxeVendorOption(value: PxeVendorOptions): DhcpOption {
  const subOptions: SubOption[] = [];
  const add = (code: number, data: Uint8Array | undefined): void => {
    if (data !== undefined) subOptions.push({ code, data });
  };
  add(
    PxeVendorCode.DISCOVERY_CONTROL,
    value.discoveryControl === undefined ? undefined : Uint8Array.of(value.discoveryControl),
  );
  add(PxeVendorCode.DISCOVERY_MULTICAST, value.discoveryMulticast && bytesOfIpv4(value.discoveryMulticast));
  add(PxeVendorCode.BOOT_SERVERS, value.bootServers && concatBytes(value.bootServers.map(encodeBootServers)));
  add(PxeVendorCode.BOOT_MENU, value.menu && concatBytes(value.menu.map(encodeMenuItem)));
  add(PxeVendorCode.MENU_PROMPT, value.prompt && encodePrompt(value.prompt));
  add(
    PxeVendorCode.BOOT_ITEM,
    value.bootItem && concatBytes([uint16(value.bootItem.type), uint16(value.bootItem.layer)]),
  );
  subOptions.push(...(value.others ?? []));
  return { code: OptionCode.VENDOR_SPECIFIC, data: encodeSubOptions(subOptions, 'padded') };
}

function typed<T>(subOptions: readonly SubOption[], code: number, decode: (data: Uint8Array) => Decoded<T>): Read<T> {
  const data = findSubOption(subOptions, code);
  if (data === undefined) return undefined;
  const decoded = decode(data);
  return decoded.ok ? decoded : malformed(decoded.offset, `PXE sub-option ${code}: ${decoded.reason}`);
}

function exactly<T>(length: number, read: (data: Uint8Array, offset: number) => T): (data: Uint8Array) => Decoded<T> {
  return (data) =>
    data.length === length ? accept(read(data, 0)) : malformed(0, `has ${data.length} bytes, not ${length}`);
}

function decodeBootServers(data: Uint8Array): Decoded<readonly PxeBootServers[]> {
  const cursor = new Cursor(data);
  const servers: PxeBootServers[] = [];
  while (cursor.remaining > 0) {
    const type = cursor.uint16('boot server type');
    const count = cursor.uint8('address count');
    const list = cursor.take(count * 4, 'addresses');
    servers.push({ type, addresses: Array.from({ length: list.length / 4 }, (_, index) => ipv4At(list, index * 4)) });
  }
  return cursor.overrun ?? accept(servers);
}

function encodeBootServers({ type, addresses }: PxeBootServers): Uint8Array {
  return concatBytes([uint16(type), Uint8Array.of(addresses.length), ...addresses.map(bytesOfIpv4)]);
}

function decodeMenu(data: Uint8Array): Decoded<readonly PxeMenuItem[]> {
  const cursor = new Cursor(data);
  const items: PxeMenuItem[] = [];
  while (cursor.remaining > 0) {
    const type = cursor.uint16('boot server type');
    const length = cursor.uint8('description length');
    items.push({ type, description: utf8(cursor.take(length, 'description')) });
  }
  return cursor.overrun ?? accept(items);
}

function encodeMenuItem({ type, description }: PxeMenuItem): Uint8Array {
  const text = bytesOfUtf8(description);
  return concatBytes([uint16(type), Uint8Array.of(text.length), text]);
}

function decodePrompt(data: Uint8Array): Decoded<PxeMenuPrompt> {
  const cursor = new Cursor(data);
  const timeoutSeconds = cursor.uint8('timeout');
  return cursor.overrun ?? accept({ timeoutSeconds, text: utf8(cursor.rest()) });
}

function encodePrompt({ timeoutSeconds, text }: PxeMenuPrompt): Uint8Array {
  return concatBytes([Uint8Array.of(timeoutSeconds), bytesOfUtf8(text)]);
}

function decodeBootItem(data: Uint8Array): Decoded<PxeBootItem> {
  const cursor = new Cursor(data);
  const item = { type: cursor.uint16('boot server type'), layer: cursor.uint16('layer') };
  return cursor.overrun ?? accept(item);
}

function uint16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  setUint16(bytes, 0, value);
  return bytes;
}
