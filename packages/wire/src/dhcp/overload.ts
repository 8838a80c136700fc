import type { DhcpPacket } from './packet.ts';
import { OptionCode } from './option-code.ts';

/** Option 52 (RFC 2132 §9.3): 1 = `file` holds options, 2 = `sname` does, 3 = both. */
export type Overload = 0 | 1 | 2 | 3;

export const OVERLOAD_FILE = 1;
export const OVERLOAD_SNAME = 2;

/**
 * Which header fields hold options. An option 52 that is not exactly one byte of 1, 2 or 3 counts as none: reading
 * options out of a boot file name would do more harm. It only counts in the options field itself.
 */
export function overloadOf(packet: Pick<DhcpPacket, 'options'>): Overload {
  let overload: Overload = 0;
  let seen = false;
  for (const option of packet.options) {
    if (option.code !== OptionCode.OVERLOAD) continue;
    const value = option.data[0];
    if (seen || option.data.length !== 1 || (value !== 1 && value !== 2 && value !== 3)) return 0;
    overload = value;
    seen = true;
  }
  return overload;
}
