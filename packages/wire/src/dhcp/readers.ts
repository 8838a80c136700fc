import { byteAt } from '../bytes.ts';
import { uint16At, uint32At } from '../cursor.ts';
import { ipv4At } from '../ipv4.ts';
import type { Ipv4 } from '../ipv4.ts';
import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import { trimNuls, utf8 } from '../text.ts';
import { MessageType } from './message-type.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';

/** An option of exactly one byte. */
export function readUint8(options: OptionMap, code: number): Read<number> {
  return readFixed(options, code, 1, byteAt);
}

/** An option of exactly two bytes, e.g. 26 (interface MTU). */
export function readUint16(options: OptionMap, code: number): Read<number> {
  return readFixed(options, code, 2, uint16At);
}

/** An option of exactly four bytes, e.g. the seconds in 51, 58 and 59. */
export function readUint32(options: OptionMap, code: number): Read<number> {
  return readFixed(options, code, 4, uint32At);
}

/** An option of one address, e.g. 1, 28, 50, 54. */
export function readIpv4(options: OptionMap, code: number): Read<Ipv4> {
  return readFixed(options, code, 4, ipv4At);
}

/** An option of one or more addresses, e.g. 3, 6, 42, 150. */
export function readIpv4s(options: OptionMap, code: number): Read<readonly Ipv4[]> {
  const data = options.get(code);
  if (data === undefined) return undefined;
  if (data.length === 0 || data.length % 4 !== 0) {
    return malformed(0, `option ${code} has ${data.length} bytes, not a whole number of addresses`);
  }
  return accept(Array.from({ length: data.length / 4 }, (_, index) => ipv4At(data, index * 4)));
}

/** A text option, e.g. 12, 15, 56, 60, 66, 67; NULs at its end are dropped (RFC 2132 §2). */
export function readText(options: OptionMap, code: number): Read<string> {
  const data = options.get(code);
  return data === undefined ? undefined : accept(utf8(trimNuls(data)));
}

/** Indexed by number. */
const MESSAGE_TYPES: readonly (MessageType | undefined)[] = [undefined, ...Object.values(MessageType)];

/** Option 53. */
export function readMessageType(options: OptionMap): Read<MessageType> {
  const read = readUint8(options, OptionCode.MESSAGE_TYPE);
  if (read === undefined || !read.ok) return read;
  const type = MESSAGE_TYPES[read.value];
  return type === undefined ? malformed(0, `message type ${read.value} is unknown`) : accept(type);
}

/** Option 55: codes that the client asks for, as sent; EDK2 puts an uninitialised byte among them. */
export function readParameterList(options: OptionMap): Read<readonly number[]> {
  const data = options.get(OptionCode.PARAMETER_LIST);
  return data === undefined ? undefined : accept([...data]);
}

/** IP and UDP headers, which option 57 counts and a UDP payload does not. */
const IP_UDP_HEADER_BYTES = 28;
/** RFC 2131 §2: every client takes IP datagrams of 576 bytes. */
const MIN_DATAGRAM_BYTES = 576;

/**
 * The largest UDP payload that the client takes, in bytes: option 57 without the IP and UDP headers, and never less
 * than the 548 that everyone must take. EDK2 says 65280.
 */
export function replyLimitBytes(options: OptionMap): number {
  const read = readUint16(options, OptionCode.MAX_MESSAGE_SIZE);
  const datagram = read?.ok ? Math.max(MIN_DATAGRAM_BYTES, read.value) : MIN_DATAGRAM_BYTES;
  return datagram - IP_UDP_HEADER_BYTES;
}

function readFixed<T>(
  options: OptionMap,
  code: number,
  length: number,
  read: (data: Uint8Array, offset: number) => T,
): Read<T> {
  const data = options.get(code);
  if (data === undefined) return undefined;
  if (data.length !== length) return malformed(0, `option ${code} has ${data.length} bytes, not ${length}`);
  return accept(read(data, 0));
}
