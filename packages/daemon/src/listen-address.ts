import { isIP, isIPv6 } from 'node:net';
import { z } from 'zod';

/** Where a server listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Reads `10.0.0.1:80`, `[::1]:80` or `unix:/run/x.sock`; undefined when it is none of these. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') ? { kind: 'unix', path } : undefined;
  }
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d{1,5})$/.exec(text);
  const address = match?.groups?.['six'] ?? match?.groups?.['four'];
  const port = Number(match?.groups?.['port']);
  if (address === undefined || port > 65_535) return undefined;
  const valid = match?.groups?.['six'] === undefined ? isIP(address) === 4 : isIPv6(address);
  return valid ? { kind: 'tcp', address, port } : undefined;
}

/** A schema for such a text; its output is the text itself. */
export function listenAddress(): z.ZodString {
  return z.string().refine((text) => parseListenAddress(text) !== undefined, {
    error: 'write address:port with a literal IP address, as 127.0.0.1:2113 or [::1]:2113, or unix:/path',
  });
}
