import { isIPv4, isIPv6 } from 'node:net';

export interface Prefix {
  readonly family: 'ipv4' | 'ipv6';
  /** 0 to 32 or 128. */
  readonly length: number;
  /** Whether bits are set behind the prefix: FRR drops them without a word. */
  readonly hostBits: boolean;
}

/** Reads a prefix in CIDR notation; undefined when it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const [address, length] = [match?.[1] ?? '', Number(match?.[2])];
  const bits = addressBits(address);
  if (bits === undefined || length > bits.length) return undefined;
  return { family: bits.length === 32 ? 'ipv4' : 'ipv6', length, hostBits: bits.slice(length).includes('1') };
}

/** An address as a string of 32 or 128 binary digits; undefined when it is none. */
function addressBits(address: string): string | undefined {
  if (isIPv4(address))
    return address
      .split('.')
      .map((byte) => binary(Number(byte), 8))
      .join('');
  if (!isIPv6(address) || address.includes('%')) return undefined;
  // An IPv4 tail stands for the last two groups.
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const groups =
    tail === null ? address : `${address.slice(0, tail.index)}${hex(tail[1], tail[2])}:${hex(tail[3], tail[4])}`;
  const [front = '', back] = groups.split('::');
  const split = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [head, rest] = [split(front), split(back ?? '')];
  const zeros = Array<string>(8 - head.length - rest.length).fill('0');
  return [...head, ...zeros, ...rest].map((group) => binary(Number.parseInt(group, 16), 16)).join('');
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}
