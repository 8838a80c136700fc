import { copyInto, view } from '../bytes.ts';
import { setUint16, uint16At } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';

/** One option (RFC 8415 §21.1). Unlike in DHCPv4, options of one code are never joined. */
export interface Dhcp6Option {
  readonly code: number;
  /** At most 65535 bytes. */
  readonly data: Uint8Array;
}

/** Code and length. */
const OPTION_HEADER_BYTES = 4;
/** Firmware sends about ten; a longer list is somebody's attempt at our memory. */
export const MAX_DHCP6_OPTIONS = 256;

/** Options that fill `bytes` from `start` on. Refused: one that runs past the end, and more than 256 of them. */
export function decodeDhcp6Options(bytes: Uint8Array, start = 0): Decoded<readonly Dhcp6Option[]> {
  const options: Dhcp6Option[] = [];
  let offset = start;
  while (offset < bytes.length) {
    if (options.length === MAX_DHCP6_OPTIONS) return malformed(offset, `more than ${MAX_DHCP6_OPTIONS} options`);
    const left = bytes.length - offset;
    if (left < OPTION_HEADER_BYTES)
      return malformed(offset, `an option needs ${OPTION_HEADER_BYTES} bytes, ${left} are left`);
    const code = uint16At(bytes, offset);
    const length = uint16At(bytes, offset + 2);
    if (length > left - OPTION_HEADER_BYTES) {
      return malformed(offset, `option ${code} claims ${length} bytes, ${left - OPTION_HEADER_BYTES} are left`);
    }
    offset += OPTION_HEADER_BYTES;
    options.push({ code, data: view(bytes, offset, offset + length) });
    offset += length;
  }
  return accept(options);
}

export function dhcp6OptionsLength(options: readonly Dhcp6Option[]): number {
  return options.reduce((sum, { data }) => sum + OPTION_HEADER_BYTES + data.length, 0);
}

/** `head`, then the options: the layout of messages and of every option that holds options. */
export function withDhcp6Options(head: Uint8Array, options: readonly Dhcp6Option[]): Uint8Array {
  const bytes = new Uint8Array(head.length + dhcp6OptionsLength(options));
  copyInto(bytes, head, 0);
  let offset = head.length;
  for (const { code, data } of options) {
    setUint16(bytes, offset, code);
    setUint16(bytes, offset + 2, data.length);
    copyInto(bytes, data, offset + OPTION_HEADER_BYTES);
    offset += OPTION_HEADER_BYTES + data.length;
  }
  return bytes;
}

/** The first option with `code`: where an RFC allows one only, a second is not looked at. */
export function findDhcp6Option(options: readonly Dhcp6Option[], code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.data;
}
