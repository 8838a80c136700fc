import { concatBytes } from '../bytes.ts';
import { OptionCode } from './option-code.ts';
import { OVERLOAD_FILE, OVERLOAD_SNAME, overloadOf } from './overload.ts';
import type { DhcpOption, DhcpPacket } from './packet.ts';
import { walkOptions } from './walk.ts';

/** Every option of a packet by code, in order of first appearance, with its pieces joined. No PAD, no END. */
export type OptionMap = ReadonlyMap<number, Uint8Array>;

/**
 * The options of a packet, those in overloaded `file` and `sname` included. Repeated codes are one split option
 * (RFC 3396 §7) and joined in the order options field, `file`, `sname`. A second option 53 therefore makes a value
 * of two bytes, which `readMessageType` refuses.
 */
export function readOptions(packet: Pick<DhcpPacket, 'options' | 'file' | 'sname'>): OptionMap {
  const map = new Map<number, Uint8Array>();
  addOptions(map, packet.options);
  const overload = overloadOf(packet);
  if (overload !== 0) {
    const more: DhcpOption[] = [];
    if ((overload & OVERLOAD_FILE) !== 0) walkOptions(packet.file, 0, packet.file.length, more);
    if ((overload & OVERLOAD_SNAME) !== 0) walkOptions(packet.sname, 0, packet.sname.length, more);
    addOptions(map, more);
  }
  return map;
}

/** The same for options outside a packet. */
export function optionMapOf(options: readonly DhcpOption[]): OptionMap {
  const map = new Map<number, Uint8Array>();
  addOptions(map, options);
  return map;
}

function addOptions(map: Map<number, Uint8Array>, options: readonly DhcpOption[]): void {
  for (const { code, data } of options) {
    if (code === OptionCode.PAD) continue;
    const earlier = map.get(code);
    map.set(code, earlier === undefined ? data : concatBytes([earlier, data]));
  }
}
