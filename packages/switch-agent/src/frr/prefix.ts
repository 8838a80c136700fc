import { networkOf, parseIpPrefix } from '../ip-prefix.ts';

export interface Prefix {
  readonly family: 'ipv4' | 'ipv6';
  /** 0 to 32 or 128. */
  readonly length: number;
  /** Whether bits are set behind the prefix: FRR drops them without a word. */
  readonly hostBits: boolean;
}

/** Reads a prefix in CIDR notation; undefined when it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const prefix = text.includes('/') ? parseIpPrefix(text) : undefined;
  if (prefix === undefined) return undefined;
  const { bits, address, length } = prefix;
  return { family: bits === 32 ? 'ipv4' : 'ipv6', length, hostBits: networkOf(prefix) !== address };
}
