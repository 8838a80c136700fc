import { ipv4ToNumber, ipv6ToBigInt, parseIpv4, parseIpv6 } from '@ingot/wire';

/** An address of an interface with the length of its network: `10.0.1.1/24`. */
export interface IpPrefix {
  readonly bits: 32 | 128;
  readonly address: bigint;
  /** 0 to `bits`. */
  readonly length: number;
}

/** Reads an address with or without `/length`; without, it is one of its own. Undefined when it is none. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const [, host = '', written] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ipv4 = parseIpv4(host);
  const ipv6 = parseIpv6(host);
  const bits = ipv4.ok ? 32 : 128;
  const length = written === undefined ? bits : Number(written);
  if (length > bits) return undefined;
  if (ipv4.ok) return { bits, address: BigInt(ipv4ToNumber(ipv4.value)), length };
  return ipv6.ok ? { bits, address: ipv6ToBigInt(ipv6.value), length } : undefined;
}

/** The network bits alone, in the place where they stand in an address. */
export function networkOf({ bits, address, length }: IpPrefix): bigint {
  const hostBits = BigInt(bits - length);
  return (address >> hostBits) << hostBits;
}

/** Whether one network holds the other. */
export function overlap(left: IpPrefix, right: IpPrefix): boolean {
  const length = Math.min(left.length, right.length);
  return left.bits === right.bits && networkOf({ ...left, length }) === networkOf({ ...right, length });
}
