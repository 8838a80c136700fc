import { byteAt, view } from '../bytes.ts';
import { uint16At, uint32At } from '../cursor.ts';
import { ipv6At } from '../ipv6.ts';
import type { Ipv6 } from '../ipv6.ts';
import type { ClientInterface } from '../pxe/client-options.ts';
import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import { trimNuls, utf8 } from '../text.ts';
import { decodeDomainNames } from './domain-names.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { findDhcp6Option } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** Option 6: codes that the client asks for, as sent. */
export function readOptionRequest(options: readonly Dhcp6Option[]): Read<readonly number[]> {
  return readUint16s(options, Dhcp6OptionCode.OPTION_REQUEST);
}

/** Option 61: one architecture or several, in the client's order of preference (RFC 5970 §3.3). */
export function readDhcp6ClientArchs(options: readonly Dhcp6Option[]): Read<readonly number[]> {
  return readUint16s(options, Dhcp6OptionCode.CLIENT_ARCH);
}

/** Option 62 (RFC 5970 §3.4). */
export function readDhcp6ClientInterface(options: readonly Dhcp6Option[]): Read<ClientInterface> {
  return readFixed(options, Dhcp6OptionCode.CLIENT_INTERFACE, 3, (data) => ({
    type: byteAt(data, 0),
    major: byteAt(data, 1),
    minor: byteAt(data, 2),
  }));
}

/** Option 7: 255 makes the client take this server at once. */
export function readPreference(options: readonly Dhcp6Option[]): Read<number> {
  return readFixed(options, Dhcp6OptionCode.PREFERENCE, 1, byteAt);
}

/** Option 8: milliseconds since the client's first message of this exchange, at most 655350. */
export function readElapsedMs(options: readonly Dhcp6Option[]): Read<number> {
  return readFixed(options, Dhcp6OptionCode.ELAPSED_TIME, 2, (data) => uint16At(data, 0) * 10);
}

/** Four bytes of seconds: 32, 82, 83. */
export function readDhcp6Seconds(options: readonly Dhcp6Option[], code: number): Read<number> {
  return readFixed(options, code, 4, uint32At);
}

/** One or more addresses: 12, 23, 31. */
export function readIpv6s(options: readonly Dhcp6Option[], code: number): Read<readonly Ipv6[]> {
  const data = findDhcp6Option(options, code);
  if (data === undefined) return undefined;
  if (data.length === 0 || data.length % 16 !== 0) {
    return malformed(0, `option ${code} has ${data.length} bytes, not a whole number of addresses`);
  }
  return accept(Array.from({ length: data.length / 16 }, (_, index) => ipv6At(data, index * 16)));
}

/** Option 24. */
export function readDomainList(options: readonly Dhcp6Option[]): Read<readonly string[]> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.DOMAIN_LIST);
  return data === undefined ? undefined : decodeDomainNames(data);
}

/** Option 59: UTF-8; a NUL at the end is borne. */
export function readBootFileUrl(options: readonly Dhcp6Option[]): Read<string> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.BOOT_FILE_URL);
  return data === undefined ? undefined : accept(utf8(trimNuls(data)));
}

/** Option 79, which the relay at the client adds: the hardware address that the client's frame came from. */
export interface ClientLinkLayerAddress {
  /** As `htype` of DHCPv4: 1 is Ethernet. */
  readonly htype: number;
  readonly address: Uint8Array;
}

export function readClientLinkLayerAddress(options: readonly Dhcp6Option[]): Read<ClientLinkLayerAddress> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.CLIENT_LINK_LAYER_ADDRESS);
  if (data === undefined) return undefined;
  if (data.length < 3) return malformed(0, `option 79 has ${data.length} bytes, not 3 or more`);
  return accept({ htype: uint16At(data, 0), address: view(data, 2, data.length) });
}

function readUint16s(options: readonly Dhcp6Option[], code: number): Read<readonly number[]> {
  const data = findDhcp6Option(options, code);
  if (data === undefined) return undefined;
  if (data.length % 2 !== 0) return malformed(0, `option ${code} has ${data.length} bytes, not two for each number`);
  return accept(Array.from({ length: data.length / 2 }, (_, index) => uint16At(data, index * 2)));
}

function readFixed<T>(
  options: readonly Dhcp6Option[],
  code: number,
  length: number,
  read: (data: Uint8Array, offset: number) => T,
): Read<T> {
  const data = findDhcp6Option(options, code);
  if (data === undefined) return undefined;
  if (data.length !== length) return malformed(0, `option ${code} has ${data.length} bytes, not ${length}`);
  return accept(read(data, 0));
}
