import { trimNuls, untilNul, utf8 } from '../text.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';
import { OVERLOAD_FILE, OVERLOAD_SNAME, overloadOf } from './overload.ts';
import type { DhcpPacket } from './packet.ts';

/** The boot file: option 67 if it says anything, else the `file` field unless that holds options. */
export function bootFileName(packet: DhcpPacket, options: OptionMap): string | undefined {
  const holdsOptions = (overloadOf(packet) & OVERLOAD_FILE) !== 0;
  return name(options.get(OptionCode.BOOT_FILE_NAME), holdsOptions ? undefined : packet.file);
}

/** The server's host name: option 66 if it says anything, else the `sname` field unless that holds options. */
export function serverHostName(packet: DhcpPacket, options: OptionMap): string | undefined {
  const holdsOptions = (overloadOf(packet) & OVERLOAD_SNAME) !== 0;
  return name(options.get(OptionCode.TFTP_SERVER_NAME), holdsOptions ? undefined : packet.sname);
}

function name(option: Uint8Array | undefined, field: Uint8Array | undefined): string | undefined {
  const fromOption = option && utf8(trimNuls(option));
  return fromOption || (field && utf8(untilNul(field))) || undefined;
}
