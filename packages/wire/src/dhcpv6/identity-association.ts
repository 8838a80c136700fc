import { setUint32, uint32At } from '../cursor.ts';
import { bytesOfIpv6, ipv6At } from '../ipv6.ts';
import type { Ipv6 } from '../ipv6.ts';
import { byteAt } from '../bytes.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { decodeDhcp6Options, withDhcp6Options } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** "For ever" in every lifetime and in T1 and T2 (RFC 8415 §7.7). */
export const DHCP6_INFINITY = 0xffff_ffff;

/** IA_NA (3) and IA_PD (25): a set of addresses or prefixes that a client manages together. */
export interface IdentityAssociation {
  readonly kind: 'na' | 'pd';
  readonly iaid: number;
  /** Seconds until RENEW; 0 leaves it to the receiver. */
  readonly t1: number;
  /** Seconds until REBIND. */
  readonly t2: number;
  /** IAADDR or IAPREFIX, and a status code perhaps. */
  readonly options: readonly Dhcp6Option[];
}

/** IAADDR (5). */
export interface IaAddress {
  readonly address: Ipv6;
  /** Seconds. */
  readonly preferredLifetime: number;
  readonly validLifetime: number;
  readonly options: readonly Dhcp6Option[];
}

/** IAPREFIX (26). */
export interface IaPrefix {
  readonly prefix: Ipv6;
  readonly prefixLength: number;
  readonly preferredLifetime: number;
  readonly validLifetime: number;
  readonly options: readonly Dhcp6Option[];
}

const IA_BYTES = 12;
const IA_ADDRESS_BYTES = 24;
const IA_PREFIX_BYTES = 25;

/** The value of option 3 or 25. */
export function decodeIdentityAssociation(
  kind: IdentityAssociation['kind'],
  data: Uint8Array,
): Decoded<IdentityAssociation> {
  return withNested(data, IA_BYTES, `IA_${kind.toUpperCase()}`, (options) => ({
    kind,
    iaid: uint32At(data, 0),
    t1: uint32At(data, 4),
    t2: uint32At(data, 8),
    options,
  }));
}

/** IA_NA or IA_PD as an option. */
export function identityAssociationOption(ia: IdentityAssociation): Dhcp6Option {
  const head = new Uint8Array(IA_BYTES);
  setUint32(head, 0, ia.iaid);
  setUint32(head, 4, ia.t1);
  setUint32(head, 8, ia.t2);
  const code = ia.kind === 'na' ? Dhcp6OptionCode.IA_NA : Dhcp6OptionCode.IA_PD;
  return { code, data: withDhcp6Options(head, ia.options) };
}

/** The value of option 5. */
export function decodeIaAddress(data: Uint8Array): Decoded<IaAddress> {
  return withNested(data, IA_ADDRESS_BYTES, 'IAADDR', (options) => ({
    address: ipv6At(data, 0),
    preferredLifetime: uint32At(data, 16),
    validLifetime: uint32At(data, 20),
    options,
  }));
}

export function iaAddressOption(ia: IaAddress): Dhcp6Option {
  const head = new Uint8Array(IA_ADDRESS_BYTES);
  head.set(bytesOfIpv6(ia.address), 0);
  setUint32(head, 16, ia.preferredLifetime);
  setUint32(head, 20, ia.validLifetime);
  return { code: Dhcp6OptionCode.IA_ADDRESS, data: withDhcp6Options(head, ia.options) };
}

/** The value of option 26. */
export function decodeIaPrefix(data: Uint8Array): Decoded<IaPrefix> {
  const decoded = withNested(data, IA_PREFIX_BYTES, 'IAPREFIX', (options) => ({
    preferredLifetime: uint32At(data, 0),
    validLifetime: uint32At(data, 4),
    prefixLength: byteAt(data, 8),
    prefix: ipv6At(data, 9),
    options,
  }));
  if (decoded.ok && decoded.value.prefixLength > 128) {
    return malformed(8, `a prefix of ${decoded.value.prefixLength} bits is longer than an address`);
  }
  return decoded;
}

export function iaPrefixOption(ia: IaPrefix): Dhcp6Option {
  const head = new Uint8Array(IA_PREFIX_BYTES);
  setUint32(head, 0, ia.preferredLifetime);
  setUint32(head, 4, ia.validLifetime);
  head[8] = ia.prefixLength;
  head.set(bytesOfIpv6(ia.prefix), 9);
  return { code: Dhcp6OptionCode.IA_PREFIX, data: withDhcp6Options(head, ia.options) };
}

/** Every IA_NA and IA_PD among `options`, in their order; one malformed refuses them all. Offsets are within its value. */
export function readIdentityAssociations(options: readonly Dhcp6Option[]): Decoded<readonly IdentityAssociation[]> {
  const found: IdentityAssociation[] = [];
  for (const { code, data } of options) {
    if (code !== Dhcp6OptionCode.IA_NA && code !== Dhcp6OptionCode.IA_PD) continue;
    const decoded = decodeIdentityAssociation(code === Dhcp6OptionCode.IA_NA ? 'na' : 'pd', data);
    if (!decoded.ok) return decoded;
    found.push(decoded.value);
  }
  return accept(found);
}

/** Every IAADDR of an IA_NA, in its order; one malformed refuses them all. */
export function readIaAddresses(ia: IdentityAssociation): Decoded<readonly IaAddress[]> {
  const found: IaAddress[] = [];
  for (const { code, data } of ia.options) {
    if (code !== Dhcp6OptionCode.IA_ADDRESS) continue;
    const decoded = decodeIaAddress(data);
    if (!decoded.ok) return decoded;
    found.push(decoded.value);
  }
  return accept(found);
}

function withNested<T>(
  data: Uint8Array,
  headBytes: number,
  what: string,
  make: (options: readonly Dhcp6Option[]) => T,
): Decoded<T> {
  if (data.length < headBytes) return malformed(0, `${what} has ${data.length} bytes, not ${headBytes} or more`);
  const options = decodeDhcp6Options(data, headBytes);
  return options.ok ? accept(make(options.value)) : options;
}
