import { concatBytes } from '../bytes.ts';
import { setUint16, setUint32 } from '../cursor.ts';
import { bytesOfIpv6 } from '../ipv6.ts';
import type { Ipv6 } from '../ipv6.ts';
import { bytesOfUtf8 } from '../text.ts';
import { encodeDomainNames } from './domain-names.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import type { Dhcp6Option } from './option.ts';

/** One byte: 7. */
export function dhcp6Uint8Option(code: number, value: number): Dhcp6Option {
  return { code, data: Uint8Array.of(value) };
}

/** Numbers of two bytes: 6, 8, 61. */
export function dhcp6Uint16sOption(code: number, values: readonly number[]): Dhcp6Option {
  const data = new Uint8Array(values.length * 2);
  values.forEach((value, index) => setUint16(data, index * 2, value));
  return { code, data };
}

/** Four bytes: 32, 82, 83. */
export function dhcp6Uint32Option(code: number, value: number): Dhcp6Option {
  const data = new Uint8Array(4);
  setUint32(data, 0, value);
  return { code, data };
}

/** UTF-8 text: 59. */
export function dhcp6TextOption(code: number, text: string): Dhcp6Option {
  return { code, data: bytesOfUtf8(text) };
}

/** Addresses: 12, 23, 31. */
export function ipv6Option(code: number, ...addresses: readonly Ipv6[]): Dhcp6Option {
  return { code, data: concatBytes(addresses.map(bytesOfIpv6)) };
}

/** Option 24. @throws RangeError for a name that DNS cannot have. */
export function domainListOption(names: readonly string[]): Dhcp6Option {
  return { code: Dhcp6OptionCode.DOMAIN_LIST, data: encodeDomainNames(names) };
}
