import { concatBytes } from '../bytes.ts';
import { setUint16, setUint32 } from '../cursor.ts';
import { bytesOfIpv4 } from '../ipv4.ts';
import type { Ipv4 } from '../ipv4.ts';
import { bytesOfUtf8 } from '../text.ts';
import type { MessageType } from './message-type.ts';
import { OptionCode } from './option-code.ts';
import type { DhcpOption } from './packet.ts';

export function messageTypeOption(type: MessageType): DhcpOption {
  return uint8Option(OptionCode.MESSAGE_TYPE, type);
}

/** @param value 0–255 */
export function uint8Option(code: number, value: number): DhcpOption {
  return { code, data: Uint8Array.of(value) };
}

/** @param value 0–65535 */
export function uint16Option(code: number, value: number): DhcpOption {
  const data = new Uint8Array(2);
  setUint16(data, 0, value);
  return { code, data };
}

/** @param value 0 to 2^32−1 */
export function uint32Option(code: number, value: number): DhcpOption {
  const data = new Uint8Array(4);
  setUint32(data, 0, value);
  return { code, data };
}

/** One address or several, as the option's definition has it. */
export function ipv4Option(code: number, ...addresses: readonly Ipv4[]): DhcpOption {
  return { code, data: concatBytes(addresses.map(bytesOfIpv4)) };
}

/** Text as UTF-8 without a NUL at its end (RFC 2132 §2). */
export function textOption(code: number, text: string): DhcpOption {
  return { code, data: bytesOfUtf8(text) };
}
