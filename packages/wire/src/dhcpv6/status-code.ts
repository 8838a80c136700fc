import { view } from '../bytes.ts';
import { setUint16, uint16At } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import { bytesOfUtf8, utf8 } from '../text.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { findDhcp6Option } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** RFC 8415 §21.13. */
export const Dhcp6Status = {
  SUCCESS: 0,
  UNSPEC_FAIL: 1,
  NO_ADDRS_AVAIL: 2,
  NO_BINDING: 3,
  NOT_ON_LINK: 4,
  USE_MULTICAST: 5,
  NO_PREFIX_AVAIL: 6,
} as const;
export type Dhcp6Status = (typeof Dhcp6Status)[keyof typeof Dhcp6Status];

/** Option 13; without it the status is Success. */
export interface Dhcp6StatusCode {
  readonly code: number;
  /** For people. */
  readonly message: string;
}

export function readDhcp6Status(options: readonly Dhcp6Option[]): Read<Dhcp6StatusCode> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.STATUS_CODE);
  if (data === undefined) return undefined;
  if (data.length < 2) return malformed(0, `option 13 has ${data.length} bytes, not 2 or more`);
  return accept({ code: uint16At(data, 0), message: utf8(view(data, 2, data.length)) });
}

export function dhcp6StatusOption(code: Dhcp6Status, message: string): Dhcp6Option {
  const text = bytesOfUtf8(message);
  const data = new Uint8Array(2 + text.length);
  setUint16(data, 0, code);
  data.set(text, 2);
  return { code: Dhcp6OptionCode.STATUS_CODE, data };
}
