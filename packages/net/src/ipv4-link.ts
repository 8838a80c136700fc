/** An address of a host and the subnet that it is on. */
export interface Attachment {
  readonly address: string;
  /** Names the broadcast domain: hosts with the same link hear each other's broadcasts and multicasts. */
  readonly link: string;
  /** The subnet's directed broadcast address; none for IPv6 and for an address without a subnet. */
  readonly broadcast: string | undefined;
}

/** The link of every address that was given without a prefix length. */
const FLAT_LINK = 'flat';

/**
 * Reads `10.0.0.1/24`, `10.0.0.1`, `2001:db8::1` or `fe80::1%rack`; undefined when it is neither. What stands behind
 * the `%` names the link, and is the name of every interface on it.
 */
export function parseAttachment(text: string): Attachment | undefined {
  const [, link] = /^[0-9a-f:]*:[0-9a-f:]*%([\w-]+)$/i.exec(text) ?? [];
  if (link !== undefined) return { address: text, link, broadcast: undefined };
  const [address = '', prefix, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  const bits = ipv4Bits(address);
  if (prefix === undefined) {
    const plausible = bits !== undefined || address.includes(':');
    return plausible ? { address, link: FLAT_LINK, broadcast: undefined } : undefined;
  }
  const length = Number(prefix);
  if (bits === undefined || !/^\d+$/.test(prefix) || length > 32) return undefined;
  const hostMask = length === 0 ? 0xffff_ffff : 2 ** (32 - length) - 1;
  const network = (bits & ~hostMask) >>> 0;
  return {
    address,
    link: `${ipv4Text(network)}/${length}`,
    // /31 and /32 have no broadcast address (RFC 3021).
    broadcast: length < 31 ? ipv4Text((network | hostMask) >>> 0) : undefined,
  };
}

/** True for the addresses of 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || ipv4Bits(address)?.toString(16).padStart(8, '0').startsWith('7f') === true;
}

function ipv4Bits(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((bits, part) => bits * 256 + Number(part), 0);
}

function ipv4Text(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
