import { copyInto, view } from '../bytes.ts';
import { setUint16, setUint32 } from '../cursor.ts';
import { writeIpv4 } from '../ipv4.ts';
import { OptionCode } from './option-code.ts';
import {
  CHADDR_BYTES,
  CHADDR_OFFSET,
  FILE_BYTES,
  FILE_OFFSET,
  HEADER_BYTES,
  MAGIC_COOKIE,
  OPTIONS_OFFSET,
  SNAME_BYTES,
  SNAME_OFFSET,
} from './packet.ts';
import type { DhcpOption, DhcpPacket } from './packet.ts';

/** Longest value of one option on the wire: its length is one byte. */
export const MAX_OPTION_DATA = 255;

/**
 * The bytes of a packet; the exact reverse of `decodeDhcp`. An option longer than 255 bytes is written in pieces
 * (RFC 3396 §5). Short `chaddr`, `sname` and `file` are filled with zeros.
 *
 * @throws RangeError if `chaddr`, `sname` or `file` is longer than its field: that is a mistake in the caller, never
 * in a received packet.
 */
export function encodeDhcp(packet: DhcpPacket): Uint8Array {
  const { options } = packet;
  const endLength = packet.end ? 1 : 0;
  const length = OPTIONS_OFFSET + optionsLength(options) + endLength + packet.trailing.length;
  const bytes = new Uint8Array(length);
  bytes[0] = packet.op;
  bytes[1] = packet.htype;
  bytes[2] = packet.hlen;
  bytes[3] = packet.hops;
  setUint32(bytes, 4, packet.xid);
  setUint16(bytes, 8, packet.secs);
  setUint16(bytes, 10, packet.flags);
  writeIpv4(bytes, 12, packet.ciaddr);
  writeIpv4(bytes, 16, packet.yiaddr);
  writeIpv4(bytes, 20, packet.siaddr);
  writeIpv4(bytes, 24, packet.giaddr);
  writeField(bytes, CHADDR_OFFSET, CHADDR_BYTES, packet.chaddr, 'chaddr');
  writeField(bytes, SNAME_OFFSET, SNAME_BYTES, packet.sname, 'sname');
  writeField(bytes, FILE_OFFSET, FILE_BYTES, packet.file, 'file');
  setUint32(bytes, HEADER_BYTES, MAGIC_COOKIE);
  let offset = writeOptions(bytes, OPTIONS_OFFSET, options);
  if (packet.end) bytes[offset++] = OptionCode.END;
  copyInto(bytes, packet.trailing, offset);
  return bytes;
}

/** Bytes that one option takes on the wire, with code and length bytes, split if need be. */
export function optionLength(option: DhcpOption): number {
  if (option.code === OptionCode.PAD) return 1;
  const pieces = Math.max(1, Math.ceil(option.data.length / MAX_OPTION_DATA));
  return pieces * 2 + option.data.length;
}

export function optionsLength(options: readonly DhcpOption[]): number {
  let length = 0;
  for (const option of options) length += optionLength(option);
  return length;
}

/** Writes the options from `start` on and returns the offset behind them. */
export function writeOptions(bytes: Uint8Array, start: number, options: readonly DhcpOption[]): number {
  let offset = start;
  for (const option of options) offset = writeOption(bytes, offset, option);
  return offset;
}

/** Writes one option and returns the offset behind it. */
export function writeOption(bytes: Uint8Array, start: number, { code, data }: DhcpOption): number {
  if (code === OptionCode.PAD) {
    bytes[start] = OptionCode.PAD;
    return start + 1;
  }
  let offset = start;
  let from = 0;
  do {
    const length = Math.min(MAX_OPTION_DATA, data.length - from);
    bytes[offset] = code;
    bytes[offset + 1] = length;
    copyInto(bytes, length === data.length ? data : view(data, from, from + length), offset + 2);
    offset += 2 + length;
    from += length;
  } while (from < data.length);
  return offset;
}

function writeField(bytes: Uint8Array, offset: number, size: number, value: Uint8Array, name: string): void {
  if (value.length > size) throw new RangeError(`${name} has ${size} bytes, cannot hold ${value.length}`);
  copyInto(bytes, value, offset);
}
