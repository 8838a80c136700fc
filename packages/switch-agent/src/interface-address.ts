import { type InterfaceAddress, IP_BITS, ipPrefixAt, parseInterfaceAddress, parseIpAddress } from '@ingot/wire';

/** Reads an address with or without a mask; without, it is a host's, as SONiC and FRR take it. Undefined when it is none. */
export function interfaceAddressOf(text: string): InterfaceAddress | undefined {
  const masked = parseInterfaceAddress(text);
  if (masked.ok) return masked.value;
  const bare = parseIpAddress(text);
  return bare.ok ? { ...ipPrefixAt(bare.value, IP_BITS[bare.value.family]), ...bare.value } : undefined;
}
