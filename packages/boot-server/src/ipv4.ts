import { ipv4OfNumber, ipv4ToNumber, parseIpv4, parseIpv4Subnet } from '@ingot/wire';

/** An IPv4 network for counting in: `network` and `mask` are unsigned 32-bit numbers, `prefix` is 0 to 32. */
export interface Ipv4Network {
  readonly network: number;
  readonly mask: number;
  readonly prefix: number;
}

/** `10.0.0.1` → unsigned 32-bit number; undefined when malformed. */
export function numberOfIpv4(text: string): number | undefined {
  const parsed = parseIpv4(text);
  return parsed.ok ? ipv4ToNumber(parsed.value) : undefined;
}

/** Unsigned 32-bit number → `10.0.0.1`. */
export function formatIpv4(address: number): string {
  return ipv4OfNumber(address);
}

/** `10.0.1.0/24` → network; undefined when malformed or when host bits are set. */
export function parseNetwork(text: string): Ipv4Network | undefined {
  const parsed = parseIpv4Subnet(text);
  if (!parsed.ok) return undefined;
  const { network, prefixLength: prefix } = parsed.value;
  const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
  return { network: ipv4ToNumber(network), mask, prefix };
}

export function networkContains(network: Ipv4Network, address: number): boolean {
  return (address & network.mask) >>> 0 === network.network;
}

/** The directed broadcast address. */
export function broadcastOf(network: Ipv4Network): number {
  return (network.network | ~network.mask) >>> 0;
}
